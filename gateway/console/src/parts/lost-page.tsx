import { showChat } from '../session-store.ts'
import { useVisit } from '../use-visit.ts'

/** An address that leads nowhere. */
export function LostPage() {
  const heading = useVisit()
  return (
    <main className="page">
      <div className="empty">
        <h2 ref={heading} tabIndex={-1}>
          There is no such page
        </h2>
        <p>The address may be damaged: a link to a passage names a document, its version and a range.</p>
        <button type="button" className="button" onClick={showChat}>
          Back to the chat
        </button>
      </div>
    </main>
  )
}

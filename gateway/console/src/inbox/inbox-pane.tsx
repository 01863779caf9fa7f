import type { Client } from '#gateway/client/client.ts'
import type { Inbox } from '#gateway/client/inbox.ts'
import { useStore } from '../use-store.ts'
import { ReviewCard } from './review-card.tsx'

/** What waits for a person. Nothing is shown where nothing waits, or to those who may not decide. */
export function InboxPane({ client, inbox }: { readonly client: Client; readonly inbox: Inbox }) {
  const { items, error } = useStore(inbox)
  if (error !== null || items.length === 0) return <div className="inbox" hidden />
  return (
    <section className="inbox" aria-label="Inbox">
      <div className="section-head">
        <h2>Waiting for you</h2>
        <p className="counts">
          <b>{items.length}</b> open
        </p>
      </div>
      <ul className="reviews">
        {items.map((item) => (
          <li key={item.id}>
            {/* An edit of somebody else changes what is asked: the form begins anew. */}
            <ReviewCard
              key={item.argsHash}
              item={item}
              client={client}
              onChanged={(changed) => inbox.fold([changed])}
            />
          </li>
        ))}
      </ul>
    </section>
  )
}

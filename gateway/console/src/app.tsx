import { useState } from 'react'
import { ChatPane } from './chat/chat-pane.tsx'
import { Header } from './parts/header.tsx'
import { SignIn } from './parts/sign-in.tsx'
import type { Session } from './session-store.ts'
import { session } from './session-store.ts'
import { SwarmPane } from './swarm/swarm-pane.tsx'
import { useSelected, useStore } from './use-store.ts'

export function App() {
  const current = useStore(session)
  return current === null ? <SignIn error={null} /> : <Desk session={current} />
}

function Desk({
  session: { client, conversation, inbox, swarm, principal, token, serial },
}: {
  readonly session: Session
}) {
  const refusal = useSelected(client.connection, (state) => (state.refused ? state.error : null))
  const [pane, setPane] = useState<'chat' | 'swarm'>('chat')
  if (refusal !== null) return <SignIn error={refusal} />
  return (
    <div className="desk" data-pane={pane}>
      <a className="skip" href="#compose" onClick={(event) => focusComposer(event)}>
        Skip to the message box
      </a>
      <Header connection={client.connection} principal={principal} pane={pane} onPane={setPane} />
      <main className="panes">
        <ChatPane key={serial} client={client} conversation={conversation} principal={principal} token={token} />
        <SwarmPane
          client={client}
          inbox={inbox}
          swarm={swarm}
          conversation={conversation}
          onJump={() => setPane('chat')}
        />
      </main>
    </div>
  )
}

/** The fragment holds the conversation; a skip link must not replace it. */
function focusComposer(event: { preventDefault: () => void }): void {
  event.preventDefault()
  document.getElementById('compose')?.focus()
}

import { useState } from 'react'
import { ChatPane } from './chat/chat-pane.tsx'
import { KnowledgePage } from './knowledge/knowledge-page.tsx'
import { Header } from './parts/header.tsx'
import { LostPage } from './parts/lost-page.tsx'
import { SignIn } from './parts/sign-in.tsx'
import { PassagePage } from './passage/passage-page.tsx'
import type { Place } from './place.ts'
import { place } from './place-store.ts'
import type { Session } from './session-store.ts'
import { session, showChat } from './session-store.ts'
import { SwarmPane } from './swarm/swarm-pane.tsx'
import { useSelected, useStore } from './use-store.ts'

export function App() {
  const current = useStore(session)
  return current === null ? <SignIn error={null} /> : <Desk session={current} />
}

function Desk({ session: current }: { readonly session: Session }) {
  const { client, conversation, inbox, swarm, principal, token, serial } = current
  const refusal = useSelected(client.connection, (state) => (state.refused ? state.error : null))
  const watches = useSelected(swarm, ({ phase }) => phase === 'open')
  const at = useStore(place)
  const [pane, setPane] = useState<'chat' | 'swarm'>('chat')
  if (refusal !== null) return <SignIn error={refusal} />
  const show = (next: 'chat' | 'swarm'): void => {
    setPane(next)
    if (at.page !== 'chat') showChat()
  }
  return (
    <div className="desk" data-pane={pane}>
      <a className="skip" href="#compose" onClick={(event) => focusComposer(event)}>
        Skip to the message box
      </a>
      <Header
        connection={client.connection}
        principal={principal}
        operator={principal.staff || watches}
        page={at.page}
        pane={pane}
        onPane={show}
      />
      {/* Behind another page the chat stays as it is: what is unfolded, and how far it is scrolled. */}
      <main className="panes" hidden={at.page !== 'chat'}>
        <ChatPane key={serial} client={client} conversation={conversation} principal={principal} token={token} />
        <SwarmPane
          client={client}
          inbox={inbox}
          swarm={swarm}
          conversation={conversation}
          onJump={() => setPane('chat')}
        />
      </main>
      <OtherPage session={current} at={at} />
    </div>
  )
}

function OtherPage({ session: { swarm, token }, at }: { readonly session: Session; readonly at: Place }) {
  switch (at.page) {
    case 'chat':
      return null
    case 'passage':
      return <PassagePage token={token} at={at} />
    case 'knowledge':
      return <KnowledgePage token={token} swarm={swarm} collection={at.collection} view={at.view} />
    case 'unknown':
      return <LostPage />
  }
}

/** The fragment holds the conversation; a skip link must not replace it. */
function focusComposer(event: { preventDefault: () => void }): void {
  event.preventDefault()
  if (place.latest.page !== 'chat') showChat()
  document.getElementById('compose')?.focus()
}

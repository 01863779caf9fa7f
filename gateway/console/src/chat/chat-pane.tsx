import type { Client } from '#gateway/client/client.ts'
import type { Conversation } from '#gateway/client/conversation.ts'
import type { Principal } from '../session.ts'
import { useSelected } from '../use-store.ts'
import { Announcer } from './announcer.tsx'
import { Composer } from './composer.tsx'
import { ConnectionBanner } from './connection-banner.tsx'
import { ConversationBar } from './conversation-bar.tsx'
import { EmptyChat } from './empty-chat.tsx'
import { StaffPane } from './staff-pane.tsx'
import { Transcript } from './transcript.tsx'

interface Props {
  readonly client: Client
  readonly conversation: Conversation
  readonly principal: Principal
  readonly token: string
}

export function ChatPane({ client, conversation, principal, token }: Props) {
  const failure = useSelected(conversation, ({ phase, error }) => (phase === 'failed' ? error : null))
  return (
    <section className="chat" aria-label="Chat">
      <ConversationBar conversation={conversation} />
      <ConnectionBanner client={client} />
      {failure === null ? (
        <Transcript
          client={client}
          conversation={conversation}
          me={principal.user}
          empty={<EmptyChat conversation={conversation} token={token} />}
        />
      ) : (
        <div className="empty" role="alert">
          <h2>This conversation cannot be shown</h2>
          <p>
            {failure.message} {failure.action}
          </p>
          <code>{failure.code}</code>
        </div>
      )}
      {principal.staff && failure === null ? <StaffPane conversation={conversation} me={principal.user} /> : null}
      <Composer conversation={conversation} />
      <Announcer conversation={conversation} />
    </section>
  )
}

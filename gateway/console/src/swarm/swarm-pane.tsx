import { useDeferredValue, useMemo } from 'react'
import type { Client } from '#gateway/client/client.ts'
import type { Conversation } from '#gateway/client/conversation.ts'
import type { Inbox } from '#gateway/client/inbox.ts'
import type { Swarm } from '#gateway/client/swarm.ts'
import { InboxPane } from '../inbox/inbox-pane.tsx'
import { useSelected } from '../use-store.ts'
import { ActorTable } from './actor-table.tsx'
import { Comb } from './comb.tsx'
import { EventList } from './event-list.tsx'
import { sortActors } from './sort-actors.ts'

interface Props {
  readonly client: Client
  readonly inbox: Inbox
  readonly swarm: Swarm
  readonly conversation: Conversation
  readonly onJump: () => void
}

export function SwarmPane({ client, inbox, swarm, conversation, onJump }: Props) {
  const failure = useSelected(swarm, ({ phase, error }) => (phase === 'failed' ? error : null))
  return (
    <section className="swarm" aria-label="Live swarm">
      {failure === null ? (
        <>
          <InboxPane client={client} inbox={inbox} />
          <Actors swarm={swarm} />
          <EventList swarm={swarm} conversation={conversation} onJump={onJump} />
        </>
      ) : (
        <div className="empty">
          <h2>The swarm is for operators</h2>
          <p>
            {failure.message} {failure.action}
          </p>
        </div>
      )}
    </section>
  )
}

function Actors({ swarm }: { readonly swarm: Swarm }) {
  const actors = useDeferredValue(useSelected(swarm, ({ state }) => state.actors))
  const sorted = useMemo(() => sortActors(Object.values(actors)), [actors])
  const running = sorted.filter((actor) => actor.state === 'running').length
  const waiting = sorted.reduce((sum, actor) => sum + actor.mailbox, 0)
  return (
    <div className="actors">
      <div className="section-head">
        <h2>Swarm</h2>
        <p className="counts">
          <b>{sorted.length}</b> actors <b>{running}</b> running <b>{waiting}</b> in mailboxes
        </p>
      </div>
      {sorted.length === 0 ? (
        <p className="nothing">Quiet. Actors show up here as they wake.</p>
      ) : (
        <>
          <Comb actors={sorted} />
          <ActorTable actors={sorted} />
        </>
      )}
    </div>
  )
}

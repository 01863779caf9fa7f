import type { Client } from '#gateway/client/client.ts'
import type { Place } from '../place.ts'
import { knowledgeHash } from '../place.ts'
import { endSession, showChat, showConversation } from '../session-store.ts'
import type { Principal } from '../session.ts'
import { useTheme } from '../theme.ts'
import { ConnectionPill } from './connection-pill.tsx'
import { Icon } from './icon.tsx'
import { Mark } from './mark.tsx'

interface Props {
  readonly connection: Client['connection']
  readonly principal: Principal
  /** May see more than the chat. */
  readonly operator: boolean
  readonly page: Place['page']
  readonly pane: 'chat' | 'swarm'
  readonly onPane: (pane: 'chat' | 'swarm') => void
}

export function Header({ connection, principal, operator, page, pane, onPane }: Props) {
  const { theme, next } = useTheme()
  const icon = { auto: 'auto', light: 'sun', dark: 'moon' } as const
  return (
    <header className="header">
      <h1 className="brand">
        <Mark />
        <span>Waggle</span>
      </h1>
      {principal.tenant === '' ? null : (
        <p className="who" title="Tenant and user of your token">
          {principal.tenant}
          <span aria-hidden="true">/</span>
          {principal.user}
        </p>
      )}
      <div className="switch" role="group" aria-label="Pane">
        <button type="button" aria-pressed={page === 'chat' && pane === 'chat'} onClick={() => onPane('chat')}>
          Chat
        </button>
        <button type="button" aria-pressed={page === 'chat' && pane === 'swarm'} onClick={() => onPane('swarm')}>
          Swarm
        </button>
      </div>
      <div className="header-end">
        <ConnectionPill connection={connection} />
        {page === 'knowledge' ? (
          <button type="button" className="button quiet" onClick={showChat} aria-label="Chat and swarm">
            <Icon name="back" />
            <span className="wide-only">Chat and swarm</span>
          </button>
        ) : operator ? (
          <a className="button quiet" href={knowledgeHash(null)}>
            <Icon name="book" />
            <span className="header-word">Knowledge</span>
          </a>
        ) : null}
        <button type="button" className="button" onClick={() => showConversation(null)}>
          <Icon name="plus" />
          <span className="wide-only">New conversation</span>
          <span className="narrow-only">New</span>
        </button>
        <button
          type="button"
          className="icon-button"
          onClick={next}
          aria-label={`Theme: ${theme}. Change it`}
          title={`Theme: ${theme}`}
        >
          <Icon name={icon[theme]} />
        </button>
        <button type="button" className="icon-button" onClick={endSession} aria-label="Sign out" title="Sign out">
          <Icon name="leave" />
        </button>
      </div>
    </header>
  )
}

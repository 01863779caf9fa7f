import type { Client } from '#gateway/client/client.ts'
import { endSession, showConversation } from '../session-store.ts'
import type { Principal } from '../session.ts'
import { useTheme } from '../theme.ts'
import { ConnectionPill } from './connection-pill.tsx'
import { Icon } from './icon.tsx'
import { Mark } from './mark.tsx'

interface Props {
  readonly connection: Client['connection']
  readonly principal: Principal
  readonly pane: 'chat' | 'swarm'
  readonly onPane: (pane: 'chat' | 'swarm') => void
}

export function Header({ connection, principal, pane, onPane }: Props) {
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
        <button type="button" aria-pressed={pane === 'chat'} onClick={() => onPane('chat')}>
          Chat
        </button>
        <button type="button" aria-pressed={pane === 'swarm'} onClick={() => onPane('swarm')}>
          Swarm
        </button>
      </div>
      <div className="header-end">
        <ConnectionPill connection={connection} />
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

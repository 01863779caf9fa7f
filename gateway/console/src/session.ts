/**
 * Who we are and what we look at, over reloads of this tab.
 *
 * The token comes in the fragment (`#token=…`, never sent to a server), is moved to sessionStorage and removed from the
 * address bar at once. The conversation stays in the fragment (`#c=…`), so that a reload and a link show the same one;
 * while another page is there (`#/documents/…`), the conversation behind it is the one that was kept.
 */
import type { SavedConversation } from '#gateway/client/conversation.ts'

const TOKEN = 'waggle.token'
const SAVED = 'waggle.conversation'
const DRAFT = 'waggle.draft'
/** More is not kept over a reload; the gateway has it all (sessionStorage holds about 5 MB). */
const SAVED_CHARS = 1_500_000

export interface Principal {
  readonly user: string
  readonly tenant: string
  /** A person of the tenant: sees, and may do, what customers cannot. The gateway decides; this only shows the means. */
  readonly staff: boolean
}

/** Takes a token out of the address bar, if one is there. */
export function takeToken(): string | null {
  if (pageInAddress()) return sessionStorage.getItem(TOKEN)
  const fragment = new URLSearchParams(location.hash.slice(1))
  const token = fragment.get('token')
  if (token !== null && token !== '') {
    sessionStorage.setItem(TOKEN, token)
    fragment.delete('token')
    history.replaceState(null, '', withFragment(fragment))
  }
  return sessionStorage.getItem(TOKEN)
}

export function keepToken(token: string): void {
  sessionStorage.setItem(TOKEN, token)
}

/** Of the person too: whoever signs in next in this tab finds nothing of what was said. */
export function forgetToken(): void {
  for (const key of [TOKEN, SAVED, DRAFT]) sessionStorage.removeItem(key)
  showInAddress(null, 'replace')
}

/** A JWT has three parts; everything else is an API key. */
export function asCredentials(token: string): { token: string } | { apiKey: string } {
  return token.split('.').length === 3 ? { token } : { apiKey: token }
}

/** For display only: what the token says of its bearer. Nothing is decided by it. */
export function readPrincipal(token: string): Principal {
  try {
    const [, body = ''] = token.split('.')
    const bytes = Uint8Array.from(atob(body.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
    const roles = Array.isArray(claims['roles']) ? claims['roles'] : []
    const staff = roles.includes('operator') || roles.includes('admin')
    return { user: asText(claims['sub']), tenant: asText(claims['tenant']), staff }
  } catch {
    return { user: '', tenant: '', staff: false }
  }
}

export function conversationInAddress(): string | null {
  if (pageInAddress()) return keptConversation()?.state.conversationId || null
  return new URLSearchParams(location.hash.slice(1)).get('c')
}

/** Another page than the chat is shown: its path stands where the conversation would. */
export function pageInAddress(): boolean {
  return location.hash.startsWith('#/')
}

export function showInAddress(conversationId: string | null, how: 'push' | 'replace'): void {
  const fragment = new URLSearchParams()
  if (conversationId !== null) fragment.set('c', conversationId)
  const url = withFragment(fragment)
  if (how === 'push') history.pushState(null, '', url)
  else history.replaceState(null, '', url)
}

/** What was on the page when it was left; null when it was another conversation, or too long ago to be kept. */
export function savedConversation(conversationId: string | null): SavedConversation | null {
  const saved = keptConversation()
  return saved?.state.conversationId === (conversationId ?? '') ? saved : null
}

function keptConversation(): SavedConversation | null {
  try {
    const saved = JSON.parse(sessionStorage.getItem(SAVED) ?? 'null') as SavedConversation | null
    return saved?.version === 2 ? saved : null
  } catch {
    return null
  }
}

export function keepConversation(saved: SavedConversation): void {
  const text = JSON.stringify(saved)
  if (text.length > SAVED_CHARS) sessionStorage.removeItem(SAVED)
  else sessionStorage.setItem(SAVED, text)
}

export function draft(): string {
  return sessionStorage.getItem(DRAFT) ?? ''
}

export function keepDraft(text: string): void {
  sessionStorage.setItem(DRAFT, text)
}

function withFragment(fragment: URLSearchParams): string {
  const text = fragment.toString()
  return `${location.pathname}${location.search}${text === '' ? '' : `#${text}`}`
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

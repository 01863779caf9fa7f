import type { Agent } from 'undici'
import { fetch as fetchThrough } from 'undici'

import { checkUrl } from './address-rules.ts'
import type { OutboundRules } from './address-rules.ts'

/**
 * `fetch` for addresses that a tenant configured, through a guarded agent: give it to whatever takes a `fetch` (models,
 * embedders, rerankers). Rejects with AddressRefused, or an error whose cause is one.
 */
export function guardedFetch(agent: Agent, rules: OutboundRules): typeof fetch {
  const guarded = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const address = input instanceof Request ? input.url : input.toString()
    checkUrl(new URL(address), rules)
    const options = { ...init, dispatcher: agent } as unknown as Parameters<typeof fetchThrough>[1]
    return (await fetchThrough(address, options)) as unknown as Response
  }
  return guarded as typeof fetch
}

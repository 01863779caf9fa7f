import { email } from '#shared/lib/patterns/email.ts'
import { foldText } from '#shared/lib/patterns/fold.ts'
import { phone } from '#shared/lib/patterns/phone.ts'
import { url } from '#shared/lib/patterns/url.ts'
import type { RuleContext } from '../rule.ts'
import type { ToolUse } from '../subject.ts'
import type { ToolPolicy } from './tool-policy.ts'

/**
 * I14 in front of every tool call, whether a tenant has configured anything or not: in a turn that has read text from
 * outside, a call may not name an address (mail, phone, web) unless a policy names it or lets the tool do so. Whatever
 * the text persuaded the model of, nothing leaves for a place that a person did not choose.
 */
const links = url(() => false)
const phones = phone()
/** Arguments that say where something goes, whatever their value looks like. */
const DESTINATION =
  /^(?:to|cc|bcc|recipients?|receivers?|e_?mail|mail_?to|phone(?:_?number)?|msisdn|webhooks?|callbacks?|url|uri|href|link|endpoint|destination|forward(?:_?to)?|send_?to|reply_?to|notify|channel|iban|account_?number)(?:_?(?:address|url|uri|number))?$/i
const MAX_DEPTH = 64

/** Why the call is refused; null when it may be made. */
export function taintRefusal(tool: ToolUse, context: RuleContext, policies: readonly ToolPolicy[]): string | null {
  if (context.taint.length === 0) return null
  // No policy: any tool of the agent, but no addresses. Several: the strictest.
  const leave = policies.map((policy) => policy.whenTainted(tool, context))
  if (leave.includes('no'))
    return `${tool.name} is not allowed after reading text from outside; a person has to approve it.`
  if (leave.length > 0 && leave.every((one) => one === 'yes')) return null
  const known = policies.flatMap(({ recipients }) => recipients)
  const said = context.said.map((text) => foldText(text).toLowerCase())
  const unknown = addressesIn(tool.args, '', 0).some(
    (address) => !known.some((one) => covers(one, address)) && !said.some((text) => names(text, address)),
  )
  return unknown ? 'After reading text from outside, nothing is sent to an address that nobody approved.' : null
}

function addressesIn(value: unknown, key: string, depth: number): string[] {
  if (depth > MAX_DEPTH) throw new RangeError(`nested deeper than ${MAX_DEPTH}`)
  if (Array.isArray(value)) return value.flatMap((entry) => addressesIn(entry, key, depth + 1))
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([name, inner]) => [
      ...addressesOf(name),
      ...addressesIn(inner, name, depth + 1),
    ])
  if (typeof value !== 'string' && typeof value !== 'number') return []
  const found = addressesOf(String(value))
  const isDestination = DESTINATION.test(key.replace(/([a-z])([A-Z])/g, '$1_$2')) && String(value).trim() !== ''
  return isDestination && found.length === 0 ? [String(value)] : found
}

function addressesOf(text: string): string[] {
  const plain = foldText(text)
  return [email, links, phones].flatMap((by) => by.find(plain).map(({ start, end }) => plain.slice(start, end)))
}

/** The person wrote this address, as a whole and not as a part of another. */
function names(text: string, address: string): boolean {
  const named = foldText(address).toLowerCase().trim()
  for (let at = text.indexOf(named); at >= 0 && named !== ''; at = text.indexOf(named, at + 1)) {
    const before = text[at - 1] ?? ' '
    const after = text.slice(at + named.length, at + named.length + 2)
    if (!/[\p{L}\p{N}@._%+-]/u.test(before) && !/^(?:[\p{L}\p{N}@_%+/-]|\.[\p{L}\p{N}])/u.test(after)) return true
  }
  return false
}

/** `*@example.com`, a whole address, or a host and everything on it. */
function covers(allowed: string, address: string): boolean {
  const known = allowed.toLowerCase()
  const named = address.toLowerCase()
  if (known === named) return true
  if (known.startsWith('*@')) return named.endsWith(known.slice(1)) && named.indexOf('@') === named.lastIndexOf('@')
  if (known.includes('@') || !URL.canParse(named)) return false
  const { hostname, username, password } = new URL(named)
  return username === '' && password === '' && hostname === known
}

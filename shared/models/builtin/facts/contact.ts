import { findPhoneNumbersInText } from 'libphonenumber-js/min'
import type { TextFact } from './fact.ts'

const EMAIL = /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu
const URL_TEXT =
  /\bhttps?:\/\/[^\s<>"'`]{1,2000}|\bwww\.[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}(?:\/[^\s<>"'`]{0,2000})?/giu

export function readEmails(text: string): TextFact[] {
  return [...text.matchAll(EMAIL)].map((match) => placed('email', match.index, match[0].replace(/\.+$/, '')))
}

export function readUrls(text: string): TextFact[] {
  return [...text.matchAll(URL_TEXT)].map((match) => placed('url', match.index, match[0].replace(/[.,;:!?)\]]+$/, '')))
}

/** Seven digits in a row of phone characters: otherwise the phone reader, the dearest of all, is not asked. */
const MAY_BE_PHONE = /(?:\d[\s().\-/]{0,3}){7}/

const MAX_PHONE_TEXT_CHARS = 1_500

export function readPhones(text: string): TextFact[] {
  const near = text.slice(0, MAX_PHONE_TEXT_CHARS)
  if (!MAY_BE_PHONE.test(near)) return []
  return findPhoneNumbersInText(near, { defaultCountry: 'US', v2: true } as never).map((found) =>
    placed('phone', found.startsAt, text.slice(found.startsAt, found.endsAt)),
  )
}

function placed(kind: TextFact['kind'], start: number, text: string): TextFact {
  return { kind, start, end: start + text.length, text }
}

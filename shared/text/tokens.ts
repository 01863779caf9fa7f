/**
 * An offline estimate of tokens, for chunk sizes, for the builtin model and for providers that report no usage. Real
 * tokenizers need tables that would have to be downloaded; this counts pieces the way byte-pair encoders cut English: a
 * word is one token for every CHARS_PER_TOKEN letters begun, a run of digits one for every three, each sign one, each
 * character of a script without spaces one. On English prose it is within a tenth of the common encoders; on code it is low.
 */
const CHARS_PER_TOKEN = 6
const DIGITS_PER_TOKEN = 3

const PIECE =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\p{L}\p{M}]+|\p{N}+|[^\s\p{L}\p{M}\p{N}]/gu

/** Long texts are counted on a sample and scaled: the count is an estimate anyway. */
const MAX_COUNTED_CHARS = 20_000

export function countTokens(text: string): number {
  if (text.length > MAX_COUNTED_CHARS) {
    return Math.ceil((countTokens(text.slice(0, MAX_COUNTED_CHARS)) * text.length) / MAX_COUNTED_CHARS)
  }
  let tokens = 0
  for (const [piece] of text.matchAll(PIECE)) {
    if (/^\p{N}/u.test(piece)) tokens += Math.ceil(piece.length / DIGITS_PER_TOKEN)
    else tokens += Math.ceil(piece.length / CHARS_PER_TOKEN)
  }
  return tokens
}

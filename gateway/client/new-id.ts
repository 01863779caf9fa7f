const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const ID_CHARS = 26

/** An id of our own for a message: 130 random bits. Works where `crypto.randomUUID` does not (a page without TLS). */
export function newClientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_CHARS))
  return `c${Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('')}`
}

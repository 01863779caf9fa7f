import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/**
 * Authenticated encryption of a short text: AES-256-GCM, a fresh 96-bit nonce each time, the purpose and owner bound as
 * additional data, so that a sealed text of one tenant or field does not open as another's.
 * Form: `s1.<base64url of nonce | tag | ciphertext>`.
 */
export class Seal {
  readonly #key: Buffer

  /** @param secret at least 16 characters; the AES key is derived from it (HKDF-SHA256) */
  constructor(secret: string) {
    if (secret.length < 16) throw new RangeError('a sealing secret needs at least 16 characters')
    this.#key = Buffer.from(hkdfSync('sha256', secret, 'waggle', 'seal', 32))
  }

  seal(text: string, owner: string): string {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce)
    cipher.setAAD(Buffer.from(owner))
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return `s1.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`
  }

  /** Null when it was not sealed by this key for this owner. */
  open(sealed: string, owner: string): string | null {
    if (!sealed.startsWith('s1.')) return null
    const bytes = Buffer.from(sealed.slice(3), 'base64url')
    if (bytes.length < 28) return null
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12))
      decipher.setAAD(Buffer.from(owner))
      decipher.setAuthTag(bytes.subarray(12, 28))
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
    } catch {
      return null
    }
  }
}

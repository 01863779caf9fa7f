/**
 * Envelope encryption of what is stored: AES-256-GCM with a data key of each tenant; the data keys themselves are sealed
 * with a master key of the configuration. The purpose is bound as additional data, so that what was sealed for one tenant
 * or field does not open as another's. Form: `w1.<key id>.<base64url of nonce | tag | ciphertext>`.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

import { WaggleError } from '#shared/errors/waggle-error.ts'

const VERSION = 'w1'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const MIN_SECRET_CHARS = 16

export interface Key {
  /** Stands in what it sealed; A-Z a-z 0-9 _ - */
  readonly id: string
  readonly bytes: Buffer
}

/** A key of the configuration: any text of 16 characters and more, stretched to a key. */
export function masterKey(id: string, secret: string): Key {
  checkId(id)
  if (secret.length < MIN_SECRET_CHARS) {
    throw new WaggleError('CONFIG', { reason: `The master key ${id} is shorter than ${MIN_SECRET_CHARS} characters.` })
  }
  return { id, bytes: Buffer.from(hkdfSync('sha256', secret, 'waggle', 'master key', KEY_BYTES)) }
}

export function newKey(id: string): Key {
  checkId(id)
  return { id, bytes: randomBytes(KEY_BYTES) }
}

export function seal(key: Key, plain: Buffer, purpose: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce)
  cipher.setAAD(boundTo(key.id, purpose))
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return `${VERSION}.${key.id}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`
}

/** Which key it was sealed with. Throws DECRYPT when it is nothing of ours. */
export function keyIdOf(sealed: string): string {
  const [version, id, body] = sealed.split('.')
  if (version !== VERSION || id === undefined || body === undefined) {
    throw new WaggleError('DECRYPT', { reason: 'The form is unknown.' })
  }
  return id
}

/** Throws DECRYPT: another key, another purpose, or a changed text. */
export function open(key: Key, sealed: string, purpose: string): Buffer {
  const id = keyIdOf(sealed)
  if (id !== key.id) throw new WaggleError('DECRYPT', { reason: `It was sealed with the key ${id}.` })
  const bytes = Buffer.from(sealed.slice(VERSION.length + id.length + 2), 'base64url')
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new WaggleError('DECRYPT', { reason: 'It is cut short.' })
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, NONCE_BYTES))
    decipher.setAAD(boundTo(id, purpose))
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()])
  } catch (error) {
    throw new WaggleError(
      'DECRYPT',
      { reason: 'The key or the purpose is another, or the text was changed.' },
      { cause: error },
    )
  }
}

function boundTo(keyId: string, purpose: string): Buffer {
  return Buffer.from(`${VERSION}\n${keyId}\n${purpose}`)
}

function checkId(id: string): void {
  if (!/^[\w-]{1,40}$/.test(id)) throw new WaggleError('CONFIG', { reason: `Not a key id: ${id}.` })
}

import { SaxesParser } from 'saxes'

import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

import { decodeText } from '../text/decode-text.ts'

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface XmlHandlers {
  open?(element: XmlElement): void
  close?(name: string): void
  text?(text: string): void
}

/** Reads XML as a stream of elements. Entities other than XML's own five are an error, so nothing can be expanded or fetched. */
export function readXml(bytes: Uint8Array, handlers: XmlHandlers): void {
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw new WaggleError('DOCUMENT_UNREADABLE', { page: 0, reason: error.message.slice(0, 200) })
  })
  parser.on('opentag', ({ name, attributes }) => {
    handlers.open?.({ name: local(name), attributes: attributes as Record<string, string> })
  })
  parser.on('closetag', ({ name }) => handlers.close?.(local(name)))
  parser.on('text', (text) => handlers.text?.(text))
  parser.on('cdata', (text) => handlers.text?.(text))
  try {
    parser.write(decodeText(bytes)).close()
  } catch (thrown) {
    if (thrown instanceof WaggleError) throw thrown
    throw new WaggleError('DOCUMENT_UNREADABLE', { page: 0, reason: coerceError(thrown).message }, { cause: thrown })
  }
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

/** The process a document is read in (started by parse-document.ts): whatever a document does, it does it here. */
import { coded, errorFromWire, errorToWire } from '#shared/errors/waggle-error.ts'
import { Deferred } from '#shared/lib/deferred.ts'

import { recognizedPage } from '../ocr/recognized-page.ts'
import type { RecognizedLine } from '../ocr/recognizer.ts'
import { readDocument } from './read-document.ts'
import type { ReaderInput } from './reader.ts'
import { PAGES_AHEAD } from './process-messages.ts'
import type { FromProcess, ToProcess } from './process-messages.ts'

let ahead = 0
let room: Deferred<void> | null = null
let recognition: Deferred<readonly RecognizedLine[]> | null = null

process.on('message', (message: ToProcess) => {
  switch (message.type) {
    case 'read':
      void read(message.input)
      break
    case 'taken':
      ahead -= 1
      room?.resolve()
      room = null
      break
    case 'recognized':
      recognition?.resolve(message.lines)
      recognition = null
      break
    case 'unrecognized':
      recognition?.reject(errorFromWire(message.error))
      recognition = null
      break
  }
})
// Whoever wanted the document is gone.
process.once('disconnect', () => process.exit())
say({ type: 'ready' })

async function read(input: ReaderInput): Promise<void> {
  let page = 0
  ahead = 0
  try {
    // A copy of its own: what came over the channel is a Buffer, which pdf.js refuses.
    const outcome = await readDocument(
      { ...input, bytes: new Uint8Array(input.bytes) },
      {
        beginPage: (number) => {
          page = number
          say({ type: 'began', page })
        },
        page: async (parsed, of) => {
          say({ type: 'page', page: parsed, of })
          ahead += 1
          if (ahead < PAGES_AHEAD) return
          room = new Deferred<void>()
          await room.promise
        },
        recognize: async ({ png, pointsPerPixel }, shape) => {
          recognition = new Deferred<readonly RecognizedLine[]>()
          say({ type: 'recognize', picture: png })
          return recognizedPage(await recognition.promise, pointsPerPixel, shape)
        },
      },
    )
    say({ type: 'done', outcome })
  } catch (thrown) {
    // What no reader foresaw is the document's doing too.
    const error = coded(thrown, 'DOCUMENT_UNREADABLE')
    say({ type: 'failed', error: { ...errorToWire(error), details: { page, ...error.details } } })
  }
}

function say(message: FromProcess): void {
  process.send?.(message)
}

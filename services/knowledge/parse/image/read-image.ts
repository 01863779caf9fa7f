import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

import { firstHeading } from '../one-page.ts'
import type { Reader } from '../reader.ts'
import { pictureSize } from './picture-size.ts'
import { preparedPicture } from './prepared-picture.ts'

/** A picture is a page whose points are its pixels. */
export const readImage: Reader = async ({ bytes, limits }, ports) => {
  const size = pictureSize(bytes)
  if (size === null || size.width === 0 || size.height === 0) {
    throw new WaggleError('DOCUMENT_UNREADABLE', { page: 1, reason: 'It does not say how large it is.' })
  }
  const { width, height } = size
  if (width * height > limits.pixels) {
    throw new WaggleError('DOCUMENT_TOO_LARGE', { page: 1, reason: `It has ${width} x ${height} pixels.` })
  }
  ports.beginPage(1)
  const { png, scale } = await prepared(bytes, limits.pixels)
  const page = await ports.recognize({ png, pointsPerPixel: 1 / scale }, { number: 1, width, height })
  await ports.page(page, 1)
  return { pages: 1, title: firstHeading(page.blocks), metadata: { width: String(width), height: String(height) } }
}

async function prepared(bytes: Uint8Array, pixels: number): ReturnType<typeof preparedPicture> {
  try {
    return await preparedPicture(bytes, pixels)
  } catch (thrown) {
    throw new WaggleError('DOCUMENT_UNREADABLE', { page: 1, reason: coerceError(thrown).message }, { cause: thrown })
  }
}

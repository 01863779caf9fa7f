import { createCanvas, loadImage } from '@napi-rs/canvas'

/** Wide enough for a page of text at 200 dpi; a picture below is enlarged, for small type is not recognised. */
const WIDE_ENOUGH = 1_700
const MOST_ENLARGED = 3
/** Mean brightness below which text is light on dark. */
const DARK = 110
/** Share of the pixels taken for the darkest and the brightest: specks do not count. */
const TAIL = 0.01

/** In greys from black to white, dark on light, and enlarged when small. */
export async function preparedPicture(
  bytes: Uint8Array,
  maxPixels: number,
): Promise<{ png: Uint8Array; scale: number }> {
  const image = await loadImage(bytes)
  const room = Math.sqrt(maxPixels / (image.width * image.height))
  const scale = Math.max(Math.min(1, room), Math.min(MOST_ENLARGED, WIDE_ENOUGH / image.width, room))
  const width = Math.max(1, Math.round(image.width * scale))
  const height = Math.max(1, Math.round(image.height * scale))
  const canvas = createCanvas(width, height)
  const context = canvas.getContext('2d')
  // What is transparent is paper.
  context.fillStyle = '#ffffff'
  context.fillRect(0, 0, width, height)
  context.imageSmoothingEnabled = true
  context.imageSmoothingQuality = 'high'
  context.drawImage(image, 0, 0, width, height)
  const picture = context.getImageData(0, 0, width, height)
  toGrey(picture.data)
  context.putImageData(picture, 0, 0)
  return { png: canvas.toBuffer('image/png'), scale }
}

function toGrey(data: Uint8ClampedArray): void {
  const counts = new Uint32Array(256)
  let sum = 0
  for (let at = 0; at < data.length; at += 4) {
    const grey = Math.round(0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0))
    data[at] = grey
    counts[grey] = (counts[grey] ?? 0) + 1
    sum += grey
  }
  const pixels = data.length / 4
  const darkest = quantile(counts, pixels * TAIL)
  const brightest = quantile(counts, pixels * (1 - TAIL))
  const span = Math.max(1, brightest - darkest)
  const invert = sum / pixels < DARK
  for (let at = 0; at < data.length; at += 4) {
    const stretched = Math.min(255, Math.max(0, (((data[at] ?? 0) - darkest) * 255) / span))
    const grey = invert ? 255 - stretched : stretched
    data[at] = grey
    data[at + 1] = grey
    data[at + 2] = grey
    data[at + 3] = 255
  }
}

function quantile(counts: Uint32Array, wanted: number): number {
  let seen = 0
  for (const [grey, count] of counts.entries()) {
    seen += count
    if (seen > wanted) return grey
  }
  return 255
}

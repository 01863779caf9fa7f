import { createCanvas } from '@napi-rs/canvas'

import type { Picture } from '../reader.ts'
import type { PdfPage } from './pdf-library.ts'

/** What recognisers are trained on. */
export const RENDER_DPI = 300
const POINTS_PER_INCH = 72

/** The page as a picture at 300 dpi, or at as much as the limit of pixels allows. */
export async function renderPage(page: PdfPage, maxPixels: number): Promise<Picture> {
  const plain = page.getViewport({ scale: 1 })
  const wanted = RENDER_DPI / POINTS_PER_INCH
  const scale = Math.min(wanted, Math.sqrt(maxPixels / Math.max(1, plain.width * plain.height)))
  const viewport = page.getViewport({ scale })
  const canvas = createCanvas(Math.max(1, Math.floor(viewport.width)), Math.max(1, Math.floor(viewport.height)))
  await page.render({ canvas, canvasContext: canvas.getContext('2d'), viewport, background: '#ffffff' }).promise
  return { png: canvas.toBuffer('image/png'), pointsPerPixel: 1 / scale }
}

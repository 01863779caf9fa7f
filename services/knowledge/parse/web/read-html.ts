import { onePage } from '../one-page.ts'
import type { Reader } from '../reader.ts'
import { mainText } from './main-text.ts'
import { decodeHtml, parseHtml } from './parse-html.ts'

export const readHtml: Reader = async ({ bytes }, ports) => {
  const html = decodeHtml(bytes)
  const { title, blocks } = mainText(html)
  const page = parseHtml(html)
  const meta = (name: string): string =>
    page.querySelector(`meta[name="${name}"]`)?.getAttribute('content')?.trim() ?? ''
  const metadata = {
    author: meta('author'),
    description: meta('description'),
    language: page.documentElement?.getAttribute('lang')?.trim() ?? '',
  }
  return onePage(ports, blocks, title, metadata)
}

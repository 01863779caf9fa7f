export interface Cue {
  /** Seconds from the beginning. */
  readonly from: number
  readonly to: number
  readonly text: string
}

const TIMES = /(\d{1,3}):(\d{2}):(\d{2})[,.](\d{1,3})\s*-->\s*(\d{1,3}):(\d{2}):(\d{2})[,.](\d{1,3})/

/** SubRip or WebVTT: cues in order, without markup, none that only repeats the one before (as automatic captions do). */
export function parseSubtitles(source: string): Cue[] {
  const cues: Cue[] = []
  for (const part of source.replaceAll(/\r\n?/g, '\n').split(/\n{2,}/)) {
    const found = TIMES.exec(part)
    if (found === null) continue
    const [from, to] = [seconds(found.slice(1, 5)), seconds(found.slice(5, 9))]
    const text = part
      .slice(found.index + found[0].length)
      .replace(/^[^\n]*\n/, '')
      .replaceAll(/<[^>]{1,100}>|\{\\[^}]{1,100}\}/g, '')
      .replaceAll(/\s+/g, ' ')
      .trim()
    if (text !== '' && text !== cues.at(-1)?.text) cues.push({ from, to, text })
  }
  return cues
}

function seconds([hours = '', minutes = '', whole = '', part = '']: readonly string[]): number {
  return Number(hours) * 3_600 + Number(minutes) * 60 + Number(whole) + Number(part) / 10 ** part.length
}

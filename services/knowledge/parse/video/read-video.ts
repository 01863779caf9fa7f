/**
 * A video as pages, one for each part of PART_SECONDS: when it is, what is said by its own subtitles, what is to be read in
 * the picture. ffmpeg does the decoding, in a process of its own, and only where it is installed. It is told which container
 * to expect and may open nothing but our file.
 */
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { WaggleError } from '#shared/errors/waggle-error.ts'

import { recognizedPage } from '../../ocr/recognized-page.ts'
import type { Recognizer } from '../../ocr/recognizer.ts'
import { block } from '../block.ts'
import type { Block } from '../parsed-page.ts'
import type { ParseOutcome, ParsePorts } from '../parse-ports.ts'
import type { ReaderInput } from '../reader.ts'
import { hasFfmpeg, runFfmpeg } from './ffmpeg.ts'
import { parseSubtitles } from './subtitles.ts'
import type { Cue } from './subtitles.ts'

/** Seconds between two looked-at pictures. */
export const PART_SECONDS = 30
/** Wider pictures are made smaller: letters on a screen are large. */
const FRAME_WIDTH = 1_280
/** Six hours. */
const MAX_FRAMES = 720

export interface VideoTools {
  readonly ffmpeg: string
  readonly recognizer: Recognizer
}

export async function readVideo(input: ReaderInput, ports: ParsePorts, tools: VideoTools): Promise<ParseOutcome> {
  const { signal, limits } = ports
  if (!(await hasFfmpeg(tools.ffmpeg, signal))) throw new WaggleError('MEDIA_TOOL_MISSING')
  const folder = await mkdtemp(join(tmpdir(), 'waggle-video-'))
  try {
    const file = join(folder, 'video')
    await writeFile(file, input.bytes)
    const source = [
      '-nostdin',
      '-loglevel',
      'error',
      '-protocol_whitelist',
      'file',
      '-f',
      container(input.bytes),
      '-i',
      file,
    ]
    const run = (args: readonly string[]): Promise<void> =>
      runFfmpeg(tools.ffmpeg, [...source, ...args], { signal, limitMs: limits.documentMs })
    const every = `fps=1/${PART_SECONDS},scale='min(${FRAME_WIDTH},iw)':-2`
    await run(['-an', '-sn', '-vf', every, '-frames:v', String(MAX_FRAMES), join(folder, 'frame-%06d.png')])
    const cues = await subtitles(run, join(folder, 'subtitles.srt'))
    const frames = (await readdir(folder)).filter((name) => name.startsWith('frame-')).toSorted()
    const spoken = Math.ceil(Math.max(0, ...cues.map(({ to }) => to)) / PART_SECONDS)
    const parts = Math.min(limits.pages, Math.max(frames.length, spoken))
    let before = ''
    for (let at = input.from - 1; at < parts; at += 1) {
      const frame = frames[at]
      const seen = frame === undefined ? [] : await onScreen(await readFile(join(folder, frame)), at + 1, signal, tools)
      const text = seen.map((one) => one.text).join('\n')
      // A picture that has not changed is not read again.
      const blocks = [...saidIn(cues, at), ...(text === before ? [] : seen)]
      before = text
      const when = block('heading', clock(at * PART_SECONDS), 2)
      const page = { number: at + 1, width: 0, height: 0, ocr: seen.length > 0 }
      await ports.onPage({ ...page, blocks: when === null || blocks.length === 0 ? [] : [when, ...blocks] }, parts)
    }
    return {
      pages: parts,
      title: input.name.replace(/\.[a-z0-9]+$/i, ''),
      metadata: { secondsPerPage: String(PART_SECONDS) },
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function container(bytes: Uint8Array): string {
  if (bytes[0] === 0x1a) return 'matroska'
  return bytes[0] === 0x52 ? 'avi' : 'mov'
}

/** None in the file is no error of it. */
async function subtitles(run: (args: readonly string[]) => Promise<void>, file: string): Promise<Cue[]> {
  try {
    await run(['-map', '0:s:0', '-f', 'srt', file])
  } catch (thrown) {
    if (thrown instanceof WaggleError && thrown.code === 'DOCUMENT_UNREADABLE') return []
    throw thrown
  }
  return parseSubtitles(await readFile(file, 'utf8'))
}

async function onScreen(png: Uint8Array, number: number, signal: AbortSignal, tools: VideoTools): Promise<Block[]> {
  const lines = await tools.recognizer.recognize(png, signal)
  return recognizedPage(lines, 1, { number, width: 0, height: 0 }).blocks.map((one) => ({ ...one, lines: [] }))
}

function saidIn(cues: readonly Cue[], part: number): Block[] {
  const said = cues.filter(({ from }) => Math.floor(from / PART_SECONDS) === part).map(({ text }) => text)
  const made = block('paragraph', said.join(' '))
  return made === null ? [] : [made]
}

function clock(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

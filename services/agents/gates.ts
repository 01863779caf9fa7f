import { StreamGuard } from '#shared/graph/output-guards/stream-guard.ts'
import type { InlineRule } from '#shared/graph/output-guards/stream-guard.ts'
import { SentenceSplitter } from '#shared/graph/output-guards/sentence-splitter.ts'
import type { VoiceGate } from './voice.ts'

/** `streamed`: text is released as soon as the in-line patterns have decided it. */
export function streamedGate(rules: readonly InlineRule[]): VoiceGate {
  const guard = new StreamGuard(rules)
  const gate = {
    blocked: null as string | null,
    push: (piece: string) => release(guard.push(piece)),
    end: () => release(guard.end()),
    checks: () => guard.checks(),
  }
  const release = ({ text, blockedBy, reason }: ReturnType<StreamGuard['push']>): string => {
    if (blockedBy !== null) gate.blocked ??= reason
    return text
  }
  return gate
}

export type CheckSentence = (sentence: string) => Promise<{ readonly blocked: string | null; readonly text: string }>

/** `gated`: whole sentences, each after its checks; nothing after a refused one. */
export function gatedGate(check: CheckSentence): VoiceGate {
  const splitter = new SentenceSplitter()
  const gate = {
    blocked: null as string | null,
    push: (piece: string) => released(splitter.push(piece)),
    // Each sentence's checks were said when they were made.
    checks: () => [],
    end: () => {
      const rest = splitter.end()
      return released(rest === null ? [] : [rest])
    },
  }
  const released = async (sentences: readonly string[]): Promise<string> => {
    let text = ''
    for (const sentence of sentences) {
      if (gate.blocked !== null) return text
      if (sentence.trim() === '') {
        text += sentence
        continue
      }
      const verdict = await check(sentence)
      if (verdict.blocked !== null) gate.blocked = verdict.blocked
      else text += verdict.text
    }
    return text
  }
  return gate
}

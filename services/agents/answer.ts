import type { RunContext } from '#shared/actor/definition.ts'
import type { InlineGuards } from '#shared/graph/output-guards/inline-rules.ts'
import { say } from '#shared/contracts/say.ts'
import { gatedGate, streamedGate } from './gates.ts'
import { guard, sayChecks } from './guard.ts'
import type { RunSayings } from './guard.ts'
import type { AgentProfile } from './profile.ts'
import { Voice } from './voice.ts'

/**
 * The answer of one attempt of a run as the customer hears it: a voice behind the gate of the agent's output mode, and
 * the checks of the whole. Owned by the attempt; `end` gives its timer back.
 */
export class Answer {
  readonly voice: Voice
  readonly #ctx: RunContext
  readonly #sayings: RunSayings
  readonly #messageId: string
  readonly #inline: InlineGuards
  readonly #draft: boolean

  constructor(
    ctx: RunContext,
    sayings: RunSayings,
    outputMode: AgentProfile['outputMode'],
    messageId: string,
    inline: InlineGuards,
    /** Heard by people of the tenant alone, who decide what becomes of it. */
    draft: boolean,
  ) {
    this.#draft = draft
    this.#ctx = ctx
    this.#sayings = sayings
    this.#messageId = messageId
    this.#inline = inline
    const gate =
      outputMode === 'streamed'
        ? () => streamedGate(inline.rules)
        : () =>
            gatedGate(async (sentence) => {
              const verdict = await guard(ctx, sayings, 'output', sentence, { piece: true })
              return {
                blocked: verdict.verdict === 'block' ? verdict.reason : null,
                text: verdict.verdict === 'rewrite' ? verdict.text : sentence,
              }
            })
    // The finished message says it whole.
    const emit = (offset: number, text: string): void =>
      draft
        ? say(ctx, 'draft:delta', { turnId: sayings.turnId, messageId, offset, text }, { volatile: true })
        : say(ctx, 'text:delta', { messageId, offset, text }, { control: ctx.cause.control, volatile: true })
    this.voice = new Voice(gate, emit, ctx.resumed)
  }

  /** Says what was held back of this answer; false when it was refused, and is withdrawn. */
  async complete(answer: string): Promise<boolean> {
    const { voice } = this
    if (voice.heard !== answer) {
      voice.restart()
      await voice.say(answer)
    }
    const whole = await voice.finish()
    sayChecks(
      this.#ctx,
      this.#sayings,
      'output',
      voice.checks.map((check) => ({ ...check, ms: 0 })),
    )
    if (!whole) {
      this.withdraw(voice.blocked ?? '')
      return false
    }
    // The guards that need the whole answer can only change what was said of it, visibly (I10).
    if (!this.#inline.more) return true
    const verdict = await guard(this.#ctx, this.#sayings, 'output', voice.text)
    if (verdict.verdict === 'block') {
      this.withdraw(verdict.reason)
      return false
    }
    if (verdict.verdict === 'rewrite' && verdict.text !== voice.text) voice.replace(verdict.text)
    return true
  }

  /** Takes back what was said, if anything was. */
  withdraw(reason: string): void {
    const said = this.voice.text !== '' && !this.#draft
    this.voice.retract(reason)
    const { cause } = this.#ctx
    if (said) say(this.#ctx, 'message:retracted', { messageId: this.#messageId, reason }, { control: cause.control })
  }

  /** Resolves when what was said has been stored; what the broker did not take is said once more. */
  async end(): Promise<void> {
    this.voice.close()
    if (await this.#ctx.flushed()) return
    this.voice.repeat()
    await this.#ctx.flushed()
  }
}

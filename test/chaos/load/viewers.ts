import { createClient } from '#gateway/client/client.ts'
import type { Client } from '#gateway/client/client.ts'
import type { Conversation } from '#gateway/client/conversation.ts'
import { openTurns } from '#gateway/client/conversation-state.ts'
import { RequestFailed } from '#gateway/client/request-failed.ts'
import type { LogEntry } from '#shared/contracts/client.ts'
import { pause } from '../pause.ts'
import { TOOLS } from '../world/effects.ts'
import type { World } from '../world/world.ts'

/** What one reader was given without a snapshot in between. */
export interface Stretch {
  /** Cursor of the snapshot or of nothing. */
  readonly after: string | null
  readonly entries: LogEntry[]
}

/**
 * One socket of the product's own client, which writes down what it is given: an unbroken stretch of entries, and a new
 * stretch for each snapshot.
 */
export class Viewer {
  readonly name: string
  readonly client: Client
  readonly conversation: Conversation
  readonly stretches: Stretch[] = []
  /** How often, and when (by performance.now()), it was connected. */
  readonly connectedAt: number[] = []
  #batch: string | null = null
  #last: string | null = null

  constructor(name: string, url: string, token: string, conversationId?: string) {
    this.name = name
    this.client = createClient({ url, token })
    let was = ''
    this.client.connection.subscribe(() => {
      const { status } = this.client.connection.getSnapshot()
      if (status === 'catching-up' || (status === 'live' && was !== 'catching-up'))
        this.connectedAt.push(performance.now())
      was = status
    })
    this.conversation = this.client.conversation(conversationId)
    this.conversation.onEntry((entry) => this.#note(entry))
  }

  get live(): boolean {
    return this.client.connection.latest.status === 'live' && this.conversation.latest.phase === 'open'
  }

  close(): void {
    this.client.close()
  }

  /** Within a batch the state of before it is what `latest` shows; anything else is the cursor of a snapshot. */
  #note(entry: LogEntry): void {
    const { cursor } = this.conversation.latest.state
    if (this.stretches.length === 0 || (cursor !== this.#batch && cursor !== this.#last))
      this.stretches.push({ after: cursor, entries: [] })
    this.#batch = cursor
    this.#last = entry.cursor
    this.stretches.at(-1)!.entries.push(entry)
  }
}

export interface ViewersOptions {
  readonly url: string
  readonly conversations: number
  readonly viewersEach: number
  /** Between a receipt and the next message of a conversation. */
  readonly gapMs: readonly [least: number, most: number]
}

const JOIN_MS = 10
const AT_ONCE = 10
/** Who has as many messages without an answer writes no more for now. */
const MOST_UNANSWERED = 4
const WAITS_MS = 200

function unanswered({ conversation }: Viewer): number {
  const { state } = conversation.latest
  return openTurns(state).length + state.branch.waiting.length
}

/** Conversations with several viewers each, of which the first also speaks. */
export class Viewers {
  readonly all: Viewer[] = []
  readonly accepted = new Map<string, string[]>()
  readonly problems: string[] = []
  /** Messages that were refused because too many wait in their conversation. */
  busy = 0
  readonly #world: World
  readonly #options: ViewersOptions
  #sending = true
  #done: Promise<unknown> = Promise.resolve()

  private constructor(world: World, options: ViewersOptions) {
    this.#world = world
    this.#options = options
  }

  static async open(world: World, options: ViewersOptions): Promise<Viewers> {
    const viewers = new Viewers(world, options)
    world.closeLater(async () => viewers.close())
    const speakers: Viewer[] = []
    for (let first = 0; first < options.conversations; first += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, options.conversations - first) }, (_, index) =>
        viewers.#join(`user${first + index}`),
      )
      speakers.push(...(await Promise.all(some)))
    }
    viewers.#done = Promise.all(speakers.map((speaker) => viewers.#speak(speaker)))
    return viewers
  }

  get count(): number {
    return Array.from(this.accepted.values()).reduce((sum, { length }) => sum + length, 0)
  }

  async stop(): Promise<void> {
    this.#sending = false
    await this.#done
  }

  close(): void {
    this.#sending = false
    for (const viewer of this.all) viewer.close()
  }

  /** One conversation with all its viewers; gives the one that speaks. */
  async #join(user: string): Promise<Viewer> {
    const { url, viewersEach } = this.#options
    const token = await this.#world.token(user)
    const speaker = new Viewer(`${user}.0`, url, token)
    this.all.push(speaker)
    // The first message makes the conversation; until then there is nothing to be viewed.
    await this.#send(speaker, `${user}-first: say something`)
    for (let other = 1; other < viewersEach; other++) {
      this.all.push(new Viewer(`${user}.${other}`, url, token, speaker.conversation.id))
      await pause(JOIN_MS / 2, JOIN_MS, this.#world.run.random)
    }
    return speaker
  }

  async #speak(viewer: Viewer): Promise<void> {
    const { random } = this.#world.run
    const [least, most] = this.#options.gapMs
    for (let number = 0; ; number++) {
      await pause(least, most, random)
      // As people do; and a machine that is busy with something else is not buried under what nobody answers.
      while (this.#sending && unanswered(viewer) >= MOST_UNANSWERED) await pause(WAITS_MS / 2, WAITS_MS, random)
      if (!this.#sending) return
      const tool = TOOLS[Math.floor(random() * TOOLS.length)]!
      await this.#send(viewer, `${viewer.name}-${number}: use ${tool}`)
    }
  }

  async #send(viewer: Viewer, text: string): Promise<void> {
    const { id: sent, receipt } = viewer.conversation.send(text)
    try {
      const { messageId } = await receipt
      const { id } = viewer.conversation
      const accepted = this.accepted.get(id)
      if (accepted === undefined) this.accepted.set(id, [messageId])
      else accepted.push(messageId)
    } catch (error) {
      // Too many wait in the conversation: said at once, and nothing was accepted.
      if (error instanceof RequestFailed && error.code === 'BUSY') {
        // What is refused stays before its writer's eyes until they retry it or let it go.
        viewer.conversation.discard(sent)
        return void this.busy++
      }
      this.problems.push(`${viewer.name}: ${text} was refused: ${String(error)}`)
    }
  }
}

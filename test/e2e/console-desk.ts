import type { BrowserContext, Page } from 'playwright-core'
import { openBrowser } from '#test/kit/browser.ts'
import type { TestBrowser } from '#test/kit/browser.ts'
import { assert } from '#test/kit/suite.ts'
import type { Stack } from './console-stack.ts'

const WAIT_MS = 10_000

/** A browser in front of a stack: opens pages of the console, asks, and reads what they show. */
export class Desk {
  readonly stack: Stack
  readonly browser: BrowserContext
  readonly #opened: TestBrowser
  #problems: string[] = []

  static async open(start: () => Promise<Stack>): Promise<Desk> {
    const opened = await openBrowser()
    opened.browser.setDefaultTimeout(WAIT_MS)
    try {
      return new Desk(await start(), opened)
    } catch (error) {
      await opened.close()
      throw error
    }
  }

  private constructor(stack: Stack, opened: TestBrowser) {
    this.stack = stack
    this.#opened = opened
    this.browser = opened.browser
  }

  async close(): Promise<void> {
    await this.#opened.close()
    await this.stack.close()
  }

  /** Closes the pages of a test, and fails when one of them complained: an exception, a refused resource, a policy. */
  async closePages(): Promise<void> {
    for (const page of this.browser.pages()) await page.close()
    const problems = this.#problems
    this.#problems = []
    assert.equal(problems, [], 'the page complained')
  }

  async page(address = this.stack.page): Promise<Page> {
    const page = await this.browser.newPage()
    page.on('pageerror', (error) => this.#problems.push(error.message))
    page.on('console', (message) => {
      const cut = message.text().includes('WebSocket connection') // by a test, on purpose
      if (message.type() === 'error' && !cut) this.#problems.push(message.text())
    })
    await page.goto(address)
    await live(page)
    return page
  }

  /** Asks the question that needs the tool, and waits until the tool was called. */
  async ask(page: Page): Promise<void> {
    const answers = page.locator('.answer')
    const next = answers.nth(await answers.count())
    await page.getByLabel('Message', { exact: true }).fill(this.stack.question)
    await page.keyboard.press('Enter')
    await next.locator('.tool', { hasText: this.stack.tool }).waitFor()
  }

  /** An answer that has come half way: some words of it are shown, the rest waits for `advance`. */
  async askHalf(page: Page): Promise<string> {
    this.stack.hold()
    await this.ask(page)
    this.stack.advance(14)
    await page.locator('.answer .text', { hasText: this.stack.answer.split(' ').slice(0, 10).join(' ') }).waitFor()
    return answerText(page)
  }

  /** Lets the answer come to its end, and checks that it is the whole answer, once. */
  async finish(page: Page): Promise<void> {
    this.stack.advance()
    await whole(page)
    assert.is(words(await answerText(page)), words(this.stack.answer))
  }
}

export function live(page: Page): Promise<void> {
  return page.locator('.pill[data-status=live]').waitFor()
}

export function answerText(page: Page): Promise<string> {
  return page.locator('.answer .text').last().innerText()
}

export function whole(page: Page): Promise<void> {
  return page.locator('.answer').last().and(page.locator('[data-status=complete]')).waitFor()
}

/** Without what only layout makes of it. */
export function words(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

import { assert, suite } from '#test/kit/suite.ts'
import { Desk, answerText, live, whole, words } from './console-desk.ts'
import { startDouble, startEmbedded } from './console-stack.ts'
import type { Stack } from './console-stack.ts'

/** The whole stack is up in seconds, but it has a database to make. */
const EMBEDDED_DEADLINE_MS = 60_000

const STACKS: readonly (readonly [name: string, start: () => Promise<Stack>])[] = [
  ['a gateway in memory', startDouble],
  ['the embedded stack', startEmbedded],
]

for (const [name, start] of STACKS) {
  suite(`console in a browser, before ${name}`, (kit) => {
    const { before, after, afterEach } = kit
    const test: typeof kit.test = (title, body) => kit.test(title, body, { deadlineMs: EMBEDDED_DEADLINE_MS })
    let desk: Desk

    before(async () => {
      desk = await Desk.open(start)
    })
    after(() => desk?.close())
    afterEach(() => desk.closePages())

    test('answers a question, and shows who speaks, the route, the tool call and the verdicts', async () => {
      const page = await desk.page()
      await desk.askHalf(page)
      await page.locator('.bar-voice', { hasText: 'has the turn' }).waitFor()
      await desk.finish(page)
      await page.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached' })
      const shown = await page.locator('.answer').last().innerText()
      for (const pattern of desk.stack.shows) assert.match(shown, pattern)
      assert.ok(
        words(await page.locator('[role=status][aria-live=polite]').innerText()).includes(
          words(desk.stack.answer).slice(0, 60),
        ),
      )
    })

    test('takes the token out of the address, and keeps the conversation in it', async () => {
      const page = await desk.page()
      assert.not.match(page.url(), /token/)
      desk.stack.advance()
      await desk.ask(page)
      await page.waitForURL(/#c=/)
      await desk.finish(page)
    })

    test('loses nothing and doubles nothing when the page is loaded again in mid-stream', async () => {
      const page = await desk.page()
      const half = await desk.askHalf(page)
      await page.reload()
      await live(page)
      assert.ok(words(await answerText(page)).startsWith(words(half)))
      assert.is(await page.locator('.question').count(), 1)
      await desk.finish(page)
      assert.is(await page.locator('.question').count(), 1)
      assert.is(await page.locator('.answer').count(), 1)
      assert.is(await page.locator('.tool').count(), 1)
    })

    test('loses nothing and doubles nothing when a reload finds nothing kept in the browser', async () => {
      const page = await desk.page()
      const half = await desk.askHalf(page)
      await page.evaluate('addEventListener("pagehide", () => sessionStorage.removeItem("waggle.conversation"))')
      await page.reload()
      await live(page)
      await page.locator('.answer .text').waitFor()
      assert.ok(words(await answerText(page)).startsWith(words(half)))
      await desk.finish(page)
      assert.is(await page.locator('.question').count(), 1)
      assert.is(await page.locator('.answer').count(), 1)
    })

    test('shows the same to a reader who comes by a link in mid-stream', async () => {
      const first = await desk.page()
      const half = await desk.askHalf(first)
      const second = await desk.page(`${desk.stack.page}&${new URL(first.url()).hash.slice(1)}`)
      await second.locator('.answer .text').waitFor()
      assert.ok(words(await answerText(second)).startsWith(words(half)))
      await desk.finish(first)
      await desk.finish(second)
    })

    test('stops an answer by Escape, and keeps what was said', async () => {
      const page = await desk.page()
      const half = await desk.askHalf(page)
      await page.keyboard.press('Escape')
      await page.locator('.notice', { hasText: 'Stopped' }).waitFor()
      assert.ok(words(await answerText(page)).startsWith(words(half)))
      assert.is(await page.locator('.caret').count(), 0)
      assert.is(await page.getByRole('button', { name: 'Stop' }).count(), 0)
      // Nothing of the rest comes later, and the conversation goes on.
      desk.stack.advance()
      await desk.ask(page)
      await whole(page)
      assert.is(await page.locator('.answer').count(), 2)
    })

    test('says that the connection is gone, keeps what is written meanwhile, and catches up', async () => {
      const page = await desk.page()
      await desk.askHalf(page)
      desk.stack.cut()
      desk.stack.advance()
      await page.locator('.banner', { hasText: 'Caught up' }).waitFor()
      await desk.finish(page)
      assert.is(await page.locator('.answer').count(), 1)
    })

    test('shows the swarm: actors with state, events that can be filtered and paused, and a way to their conversation', async () => {
      const called = new RegExp(`${desk.stack.tool}\\(order_id: 1042\\)`)
      const page = await desk.page()
      desk.stack.advance()
      await desk.ask(page)
      await desk.finish(page)
      await page.waitForURL(/#c=/)
      const { hash } = new URL(page.url())
      await page
        .locator('.actor-table tr', { hasText: /agent[\s\S]*(awake|asleep)/ })
        .first()
        .waitFor()
      await page.getByRole('button', { name: 'tools', exact: true }).click()
      await page.locator('.event', { hasText: called }).waitFor()
      assert.is(await page.locator('.event', { hasText: 'turn:started' }).count(), 0)
      await page.getByLabel('Filter events').fill('no such thing')
      await page.getByText('No event fits the filter.').waitFor()
      await page.getByLabel('Filter events').fill('')

      await page.getByRole('button', { name: 'Pause' }).click()
      await page.getByRole('button', { name: 'New conversation' }).click()
      await page.getByText('What would you like to know?').waitFor()
      await desk.ask(page)
      await whole(page)
      await page.getByRole('button', { name: /Go on \(\d+ new\)/ }).click()
      await page.locator('.event', { hasText: called }).first().click()
      await page.locator('.event-detail').getByRole('button', { name: 'Conversation' }).click()
      await page.waitForURL((url) => url.hash === hash)
      await page.goBack()
      await page.waitForURL((url) => url.hash !== hash)
    })
  })
}

suite('console in a browser: the page', ({ test, before, after, afterEach }) => {
  let desk: Desk

  before(async () => {
    desk = await Desk.open(startDouble)
  })
  after(() => desk?.close())
  afterEach(() => desk.closePages())

  test('works by keyboard alone', async () => {
    const page = await desk.page()
    assert.is(await page.locator('a, button, input, textarea').first().innerText(), 'Skip to the message box')
    await page.getByText('Skip to the message box').focus()
    await page.keyboard.press('Enter')
    assert.is(await page.evaluate('document.activeElement.id'), 'compose')
    await page.keyboard.type('one')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('two')
    assert.is(await page.getByLabel('Message', { exact: true }).inputValue(), 'one\ntwo')
    await page.keyboard.press('Enter')
    await page.locator('.question', { hasText: 'two' }).waitFor()
    await whole(page)
    await page.getByRole('listbox').focus()
    await page.keyboard.press('End')
    await page.locator('.event[aria-selected=true]').waitFor()
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Escape')
    await page.locator('.event[aria-selected=true]').waitFor({ state: 'detached' })
  })

  test('tells what a stopped run had done already', async () => {
    const page = await desk.page()
    await desk.askHalf(page)
    await page.getByRole('button', { name: 'Stop' }).click()
    const notice = page.locator('.notice', { hasText: 'Stopped' })
    await notice.waitFor()
    assert.match(await notice.innerText(), /had already happened: lookup_order_status/)
    desk.stack.advance()
  })

  test('follows the end of chat and events, and leaves a reader alone who looks further up', async () => {
    const page = await desk.page()
    const fromEnd = (box: string): Promise<number> =>
      page.evaluate(
        `(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.querySelector('${box}'))`,
      )
    for (let turn = 0; turn < 3; turn += 1) {
      await desk.ask(page)
      await whole(page)
    }
    await page.locator('.event', { hasText: 'turn:ended' }).last().waitFor()
    for (const box of ['.transcript', '.event-scroll']) {
      assert.ok((await fromEnd(box)) < 30, `${box} follows`)
      await page.locator(box).hover()
      await page.mouse.wheel(0, -400)
    }
    await page.locator('.to-end').nth(1).waitFor()
    await desk.ask(page)
    await whole(page)
    for (const box of ['.transcript', '.event-scroll']) assert.ok((await fromEnd(box)) > 300, `${box} stays`)
    await page.locator('.to-end').first().click()
    await page.locator('.to-end').first().click()
    await page.locator('.to-end').first().waitFor({ state: 'detached' })
    for (const box of ['.transcript', '.event-scroll']) assert.ok((await fromEnd(box)) < 30, `${box} follows again`)
  })

  test('keeps what was being written over a reload', async () => {
    const page = await desk.page()
    await page.getByLabel('Message', { exact: true }).fill('half a thought')
    await page.reload()
    await live(page)
    assert.is(await page.getByLabel('Message', { exact: true }).inputValue(), 'half a thought')
  })

  test('fits a narrow phone in both panes, and follows the dark mode of the system', async () => {
    const page = await desk.page()
    await page.setViewportSize({ width: 360, height: 700 })
    await page.emulateMedia({ colorScheme: 'dark' })
    await desk.ask(page)
    await whole(page)
    const surplus = (): Promise<unknown> =>
      page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    assert.is(await surplus(), 0)
    await page.getByRole('button', { name: 'Swarm' }).click()
    await page.locator('.event').nth(12).waitFor()
    assert.is(await surplus(), 0)
    const background = (): Promise<unknown> =>
      page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    const dark = await background()
    await page.getByRole('button', { name: /Theme: auto/ }).click()
    assert.is.not(await background(), dark)
  })

  test('asks for a token when it has none, and says why one was refused', async () => {
    const page = await desk.browser.newPage()
    await page.goto(desk.stack.page.split('#')[0]!)
    await page.evaluate('sessionStorage.clear()')
    await page.reload()
    await page.getByLabel('Token or API key').fill('nonsense')
    await page.getByRole('button', { name: 'Open the console' }).click()
    await page.getByRole('alert').getByText('No valid token').waitFor()
    const token = new URLSearchParams(new URL(desk.stack.page).hash.slice(1)).get('token')
    await page.getByLabel('Token or API key').fill(token!)
    await page.getByRole('button', { name: 'Open the console' }).click()
    await live(page)
  })

  test('leaves nothing of a person behind when they sign out', async () => {
    const page = await desk.page()
    await desk.ask(page)
    await whole(page)
    await page.getByLabel('Message', { exact: true }).fill('a secret')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Token or API key').waitFor()
    await page.reload()
    await page.getByLabel('Token or API key').waitFor()
    assert.is(await page.evaluate('JSON.stringify(sessionStorage)'), '{}')
    assert.not.match(page.url(), /#/)
  })
})

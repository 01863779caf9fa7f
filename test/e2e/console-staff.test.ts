/** What people of the tenant do in the page, before the whole stack: other answers, the voice of a conversation, drafts. */
import type { Page } from 'playwright-core'
import { assert, suite } from '#test/kit/suite.ts'
import { Desk, whole } from './console-desk.ts'
import { startEmbedded } from './console-stack.ts'

const DEADLINE_MS = 90_000

suite('the staff of a conversation, in a browser', (kit) => {
  const { before, after, afterEach } = kit
  const test: typeof kit.test = (title, body) => kit.test(title, body, { deadlineMs: DEADLINE_MS })
  let desk: Desk

  before(async () => {
    desk = await Desk.open(startEmbedded)
    desk.stack.advance()
  })
  after(() => desk?.close())
  afterEach(() => desk.closePages())

  const asked = async (): Promise<Page> => {
    const page = await desk.page()
    await desk.ask(page)
    await desk.finish(page)
    return page
  }
  const button = (page: Page, name: string): ReturnType<Page['getByRole']> =>
    page.getByRole('button', { name, exact: true })
  const say = async (page: Page, kind: string, text: string): Promise<void> => {
    await page.getByLabel('What to say it as').selectOption(kind)
    await page.getByLabel('Words of an operator').fill(text)
    await button(page, 'Say').click()
  }

  test('an answer is given again, and one goes to and fro between the two', async () => {
    const page = await asked()
    const answerId = (): Promise<string> => page.locator('.branches[data-role=assistant]').innerText()
    assert.is(await page.getByText('1 of 2').count(), 0)
    await button(page, 'Answer again').click()
    await page.getByText('2 of 2').waitFor()
    await whole(page)
    assert.is(await page.locator('.answer').count(), 1, 'the other one is not on this branch')
    assert.is(await page.locator('.question').count(), 1)
    await page.getByRole('button', { name: 'Earlier version' }).click()
    await page.getByText('1 of 2').waitFor()
    assert.ok(await page.getByRole('button', { name: 'Earlier version' }).isDisabled())
    await page.reload()
    await page.getByText('1 of 2').waitFor()
    await page.getByRole('button', { name: 'Later version' }).click()
    await page.getByText('2 of 2').waitFor()
    assert.match(await answerId(), /Answer again/)
  })

  test('a person takes the voice, answers, says something to colleagues alone, and hands it back', async () => {
    const page = await asked()
    const staff = page.getByRole('region', { name: 'For operators' })
    await button(page, 'Take over').click()
    await staff.getByText('You have the voice').waitFor()
    await say(page, 'reply', 'A person speaks to you now.')
    await page.locator('.answer', { hasText: 'A person speaks to you now.' }).waitFor()
    await say(page, 'note', 'They sound worried.')
    await staff.getByText('They sound worried.').waitFor()
    assert.is(await page.locator('.transcript', { hasText: 'They sound worried.' }).count(), 0)
    await page.getByLabel('Message', { exact: true }).fill('Are you still there?')
    await page.keyboard.press('Enter')
    await page.locator('.question', { hasText: 'Are you still there?' }).waitFor()
    assert.is(await button(page, 'Stop').count(), 0, 'no agent works on it')
    await button(page, 'Hand back').click()
    await button(page, 'Take over').waitFor()
    // What nobody had answered is answered by the agents now.
    await page.locator('.answer').nth(2).and(page.locator('[data-status=complete]')).waitFor()
  })

  test('a draft waits in the inbox, and is said when somebody approves it', async () => {
    const page = await asked()
    const conversation = new URL(page.url()).hash.slice('#c='.length)
    const { origin, hash } = new URL(desk.stack.page)
    const supervised = await fetch(`${origin}/api/v1/conversations/${conversation}/control`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hash.slice('#token='.length)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ action: 'supervise', on: true }),
    })
    assert.is(supervised.status, 200, await supervised.text())
    await page.getByLabel('Message', { exact: true }).fill(desk.stack.question)
    await page.keyboard.press('Enter')
    const staff = page.getByRole('region', { name: 'For operators' })
    await staff.getByText('draft, waits for a decision').waitFor()
    assert.is(await page.locator('.answer .text').count(), 1, 'nothing of it is said')
    await page.getByRole('region', { name: 'Inbox' }).getByRole('button', { name: 'Approve', exact: true }).click()
    await page.locator('.answer .text').nth(1).waitFor()
    await staff.getByText('draft, waits for a decision').waitFor({ state: 'detached' })
    await page.getByRole('region', { name: 'Inbox' }).waitFor({ state: 'detached' })
  })
})

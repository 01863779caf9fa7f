/** The inbox of the page: an operator reads why something waits, changes what would be done, and decides. */
import { buildConsole } from '#gateway/console/build.ts'
import { FakeGateway, OPERATOR_TOKEN } from '#test/unit/client/fake-gateway.ts'
import { reviewItem } from '#test/unit/client/made-review.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Desk } from './console-desk.ts'
import { serve } from './console-stack.ts'

suite('the inbox of the console', ({ test }) => {
  test('shows what waits, and what was decided goes away everywhere', async () => {
    const { dir } = await buildConsole()
    let gateway!: FakeGateway
    const desk = await Desk.open(async () => {
      gateway = await FakeGateway.start({ handle: (request, response) => void serve(dir, request, response) })
      return {
        page: `${gateway.url}/#token=${OPERATOR_TOKEN}`,
        question: '',
        answer: '',
        shows: [],
        tool: '',
        hold: () => {},
        advance: () => {},
        cut: () => gateway.cut(),
        close: () => gateway.close(),
      }
    })
    try {
      const conversationId = gateway.log.open()
      const schema = { type: 'object', properties: { cents: { type: 'integer', title: 'Amount' } } }
      gateway.reviews.push(reviewItem({ conversationId, schema }))
      const [one, other] = [await desk.page(), await desk.page()]
      const card = one.getByRole('article', { name: 'Refund' })
      await card.getByText('Money leaves.').waitFor()
      await other.getByRole('article', { name: 'Refund' }).waitFor()
      assert.ok(await card.getByRole('button', { name: 'Reject' }).isDisabled(), 'without a reason')
      await card.getByLabel('Amount').fill('much')
      await card.getByRole('button', { name: 'Approve with changes' }).click()
      await card.getByRole('alert').getByText('Amount is no number.').waitFor()
      await card.getByLabel('Amount').fill('500')
      await card.getByLabel('Reason').fill('too much')
      await card.getByRole('button', { name: 'Approve with changes' }).click()
      await card.waitFor({ state: 'detached' })
      await other.getByRole('article', { name: 'Refund' }).waitFor({ state: 'detached' })
      assert.equal(gateway.reviews[0]!.decision!.decision, { action: 'edit', args: { cents: 500 }, reason: 'too much' })

      const question = reviewItem({ id: 'q', conversationId, kind: 'question', title: 'Which drawer?', schema: null })
      gateway.reviews.push(question)
      gateway.say(conversationId, 'review:changed', question)
      const asked = one.getByRole('article', { name: 'Which drawer?' })
      await asked.getByLabel('Your answer').fill('The second.')
      await asked.getByRole('button', { name: 'Answer' }).click()
      await asked.waitFor({ state: 'detached' })
      assert.equal(gateway.reviews[1]!.decision!.decision, { action: 'answer', text: 'The second.' })

      const text = { type: 'string', title: 'Text' }
      const draft = reviewItem({
        id: 'd',
        conversationId,
        kind: 'draft_reply',
        title: 'An answer',
        proposal: { text: 'Perhaps.' },
        schema: { type: 'object', properties: { text } },
      })
      gateway.reviews.push(draft)
      gateway.say(conversationId, 'review:changed', draft)
      const written = one.getByRole('article', { name: 'An answer' })
      const keeps = written.getByLabel('Use this answer for the same question from now on')
      await written.getByLabel('Text').waitFor()
      assert.is(await keeps.count(), 0, 'nobody has written anything')
      await written.getByLabel('Text').fill('Yes, on Mondays.')
      await keeps.check()
      await written.getByRole('button', { name: 'Approve with changes' }).click()
      await written.waitFor({ state: 'detached' })
      assert.equal(gateway.reviews[2]!.decision!.decision, {
        action: 'edit',
        args: { text: 'Yes, on Mondays.' },
        reason: '',
        curate: true,
      })
      await desk.closePages()
    } finally {
      await desk.close()
    }
  })
})

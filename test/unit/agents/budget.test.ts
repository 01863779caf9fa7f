import { Budget } from '#services/agents/budget.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import type { PriceTable } from '#shared/models/price.ts'
import { assert, suite } from '#test/kit/suite.ts'

const NOTHING = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicros: 0 }
const MODEL = { provider: 'openai', model: 'large', maxOutputTokens: 100 }

function inMoney(costMicros: number, prices: PriceTable, model = MODEL): Budget {
  return new Budget({ tokens: null, costMicros, wallMs: null, onSpent: 'end' }, prices, model, 0, () => {})
}
function refusal(budget: Budget): string {
  try {
    budget.reserve(NOTHING, 300, 0)
    return 'none'
  } catch (error) {
    const { code, details } = coded(error)
    return `${code} ${String(details['what'])}`
  }
}

suite('a budget in money', ({ test }) => {
  test('covers nothing of a model whose price nobody knows, however large it is', () => {
    assert.is(refusal(inMoney(1_000_000_000, {})), 'BUDGET_SPENT costMicros')
    assert.is(
      refusal(inMoney(1_000_000_000, { 'openai/small': { inputPerMillion: 1, outputPerMillion: 1 } })),
      'BUDGET_SPENT costMicros',
    )
  })

  test('covers a call whose whole price it has, and one that costs nothing', () => {
    const prices = { 'openai/*': { inputPerMillion: 1, outputPerMillion: 2 } }
    // A hundred tokens of the prompt, and twice that for as many of the answer.
    assert.is(refusal(inMoney(300, prices)), 'none')
    assert.is(refusal(inMoney(299, prices)), 'BUDGET_SPENT costMicros')
    assert.is(refusal(inMoney(0, {}, { ...MODEL, provider: 'builtin' })), 'none')
  })

  test('counts nothing as paid where no price is known', () => {
    assert.is(inMoney(1, {}).costOf({ inputTokens: 10, outputTokens: 10, cachedTokens: 0 }, {}), 0)
  })
})

import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages'
import type { BaseMessage } from '@langchain/core/messages'

export const ORDER_TOOL = {
  name: 'lookup_order_status',
  description: 'Look up the status of an order.',
  schema: {
    type: 'object',
    properties: { order_id: { type: 'string', description: 'The order number, e.g. 1042', pattern: '^[0-9]{4,8}$' } },
    required: ['order_id'],
  },
  template: 'Order {order_id} is {status}.',
}

export const QUESTION = 'Where is my order 1042?'

/** A conversation whose next message is the answer to a tool's result. */
export function answerable(): BaseMessage[] {
  return [
    new SystemMessage('You help customers.'),
    new HumanMessage(QUESTION),
    new AIMessage({
      content: '',
      tool_calls: [{ id: 'call_a', name: 'lookup_order_status', args: { order_id: '1042' }, type: 'tool_call' }],
    }),
    new ToolMessage({
      tool_call_id: 'call_a',
      name: 'lookup_order_status',
      content: '{"order_id":"1042","status":"shipped"}',
    }),
  ]
}

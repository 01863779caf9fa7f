/** One process of the services of the main job, for being killed: supervisor, agents, guardrails and desk with a scripted model. */
import { readConfig } from '#shared/config/config.ts'
import { createModel } from '#shared/models/port.ts'
import type { Script } from '#shared/models/scripted/script.ts'
import { openService } from '#shared/service/service.ts'
import { hostAgents } from '#services/agents/main.ts'
import { hostDesk } from '#services/desk/main.ts'
import { hostGuardrails } from '#services/guardrails/main.ts'
import { hostSupervisor } from '#services/supervisor/main.ts'

/** The question names the tool: it is called once, then the answer is said. */
const script: Script = (messages) => {
  const last = messages.at(-1)
  if (last?.getType() === 'tool') return { steps: [{ say: ['It ', 'was ', 'done.'] }] }
  const tool = /use (\w+)/.exec(last?.text ?? '')?.[1] ?? 'idempotent'
  return { steps: [{ call: [{ name: tool, args: { of: last?.text ?? '' } }] }] }
}

const opened = await openService(readConfig(process.env), process.env['PEER'] ?? 'peer')
const service = {
  ...opened,
  platformModel: { provider: 'scripted', model: 'chaos' } as const,
  models: (spec: Parameters<typeof opened.models>[0]) => createModel(spec, { script }),
}
hostSupervisor(service)
hostAgents(service)
hostGuardrails(service)
hostDesk(service)
await service.system.start()
await service.system.placed()
process.stdout.write('up\n')
process.on('SIGTERM', () => {
  void service.system
    .stop()
    .then(() => service.close())
    .then(() => process.exit(0))
})

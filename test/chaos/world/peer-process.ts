/**
 * One process of the product, for being hit: the roles that PEER_ROLES names, joined as their own main.ts would, but for
 * the model (scripted) and the wall clock (its parent may step it). Ends with its parent.
 */
import { readConfig } from '#shared/config/config.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { createModel } from '#shared/models/port.ts'
import { joinSwarm } from '#shared/process/join-swarm.ts'
import type { Swarm } from '#shared/process/join-swarm.ts'
import { openService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { startGateway } from '#gateway/main.ts'
import { hostAgents } from '#services/agents/main.ts'
import { hostDesk } from '#services/desk/main.ts'
import { hostDirectory } from '#services/directory/main.ts'
import { hostGuardrails } from '#services/guardrails/main.ts'
import { hostSupervisor } from '#services/supervisor/main.ts'
import { hostTools } from '#services/tools/main.ts'
import { crasher } from './crasher.ts'
import type { FromPeer, Role, ToPeer } from './peer.ts'
import { chaosScript } from './peer-script.ts'

let offsetMs = 0
const clock: Clock = { ...systemClock, now: () => Date.now() + offsetMs }

const HOSTS: Readonly<Record<Exclude<Role, 'gateway'>, (service: Service) => void>> = {
  supervisor: hostSupervisor,
  agents: hostAgents,
  guardrails: hostGuardrails,
  desk: hostDesk,
  directory: hostDirectory,
  tools: (service) => void hostTools(service, { allow: service.config.tools.allow }),
  crasher: ({ system }) => void system.host(crasher()),
}

const roles = (process.env['PEER_ROLES'] ?? '').split(',') as Role[]
const name = process.env['PEER_NAME'] ?? 'peer'
const config = readConfig(process.env)
const { swarm, url, leave } = roles.includes('gateway') ? await edge() : await services()
tell({ type: 'up', url })

process.on('message', (message) => {
  const asked = message as ToPeer
  if (asked.type === 'clock') offsetMs = asked.offsetMs
  else if (asked.type === 'look') void look(asked.id)
})
process.on('disconnect', () => process.exit(1))
process.on('SIGTERM', () => void leave().then(() => process.exit(0)))

async function services(): Promise<{ swarm: Swarm; url: string; leave: () => Promise<void> }> {
  const opened = await openService(config, name, clock)
  const service: Service = {
    ...opened,
    platformModel: { provider: 'scripted', model: 'chaos' },
    models: (spec) => createModel(spec, { script: chaosScript }),
  }
  for (const role of roles) if (role !== 'gateway') HOSTS[role](service)
  await service.system.start()
  await service.system.placed()
  return {
    swarm: service,
    url: '',
    leave: async () => {
      await service.system.stop()
      await service.close()
    },
  }
}

async function edge(): Promise<{ swarm: Swarm; url: string; leave: () => Promise<void> }> {
  const joined = await joinSwarm(config, name, undefined, clock)
  await joined.system.start()
  const gateway = await startGateway(joined, clock)
  return {
    swarm: joined,
    url: gateway.url,
    leave: async () => {
      await gateway.close()
      await joined.system.stop()
      await joined.transport.close()
    },
  }
}

async function look(id: number): Promise<void> {
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  const { partitions } = swarm.system.census()
  tell({ type: 'looked', id, rss, heap: heapUsed, external, partitions, metrics: await swarm.metrics.render() })
}

function tell(message: FromPeer): void {
  process.send?.(message)
}

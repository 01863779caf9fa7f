import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { pause } from '../pause.ts'
import { scenario } from '../scenario.ts'
import type { Peer, Role } from '../world/peer.ts'
import { SERVICES } from '../world/world.ts'

const ROUNDS = 2
const ROUNDS_LONG = 17

export const killRoles = scenario({
  name: 'kill-roles',
  about:
    'Each role in a process of its own (and a spare for all), killed -9 in turn under load at runtime and sockets.',
  async run({ random, long, say, world: open }) {
    const world = await open()
    const peers = new Map<Role, Peer>(SERVICES.map((role) => [role, world.peer(role, [role])]))
    await Promise.all(Array.from(peers.values(), (peer) => peer.start()))
    const stage = await setStage(world, { services: 1 })
    peers.set('gateway', stage.gateway!)
    const down: number[] = []
    for (let round = 0; round < (long ? ROUNDS_LONG : ROUNDS); round++) {
      for (const [role, peer] of peers) {
        await pause(300, 1_200, random)
        const since = performance.now()
        await peer.kill()
        await peer.start()
        down.push(performance.now() - since)
        say(`${role} killed and back after ${Math.round(down.at(-1)!)} ms; ${stage.accepted()} accepted`)
      }
    }
    await stage.quiet()
    const { problems, figures } = await settle(world, stage)
    const downMs = Math.round(down.reduce((sum, ms) => sum + ms, 0) / down.length)
    return { problems, figures: { kills: down.length, downMs, ...figures } }
  },
})

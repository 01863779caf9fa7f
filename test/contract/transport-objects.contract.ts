import { randomBytes } from 'node:crypto'
import { assert, suite } from '#test/kit/suite.ts'
import type { Transport } from '#shared/transport/port.ts'
import { unique } from './transport-world.ts'
import type { StartWorld, TransportWorld } from './transport-world.ts'

export function objectsContract(label: string, start: StartWorld): void {
  suite(`${label}: objects`, ({ test, before, after }) => {
    let world: TransportWorld
    let alice: Transport
    let bob: Transport
    before(async () => {
      world = await start()
      alice = await world.connect('alice')
      bob = await world.connect('bob')
    })
    after(() => world.close())

    test('gives back to anybody what was put, byte for byte, and the newest of a name', async () => {
      const name = unique('files')
      const [mine, theirs] = await Promise.all([alice, bob].map((each) => each.objects(name)))
      const large = randomBytes(1_000_003)
      assert.is(await mine!.put('acme/large', inPieces(large, 70_001)), large.byteLength)
      assert.ok(large.equals((await read(await theirs!.get('acme/large')))!))
      await theirs!.put('acme/large', inPieces(Buffer.from('short'), 2))
      assert.is(String(await read(await mine!.get('acme/large'))), 'short')
    })

    test('holds nothing of an object whose content broke off', async () => {
      const store = await alice.objects(unique('files'))
      const broken = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from('half')
        throw new Error('the sender is gone')
      }
      await store.put('half', broken()).then(
        () => assert.unreachable('it was taken for whole'),
        () => {},
      )
      assert.is(await store.get('half'), null)
    })

    test('forgets what is removed, and lists names by how they begin', async () => {
      const store = await alice.objects(unique('files'))
      for (const name of ['acme/1', 'acme/2', 'globex/1']) await store.put(name, inPieces(Buffer.from(name), 3))
      await store.remove('acme/1')
      await store.remove('never-there')
      assert.is(await store.get('acme/1'), null)
      assert.equal([...(await store.names('acme/'))], ['acme/2'])
      assert.equal([...(await store.names(''))].toSorted(), ['acme/2', 'globex/1'])
    })

    test('stores an empty object', async () => {
      const store = await alice.objects(unique('files'))
      assert.is(await store.put('nothing', inPieces(Buffer.alloc(0), 1)), 0)
      assert.is((await read(await store.get('nothing')))?.byteLength, 0)
    })
  })
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size)
}

async function read(content: AsyncIterable<Uint8Array> | null): Promise<Buffer | null> {
  if (content === null) return null
  const parts: Uint8Array[] = []
  for await (const part of content) parts.push(part)
  return Buffer.concat(parts)
}

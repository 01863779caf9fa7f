/**
 * What every transport must do, as one suite over an adapter. Whoever writes another adapter runs this on it.
 */
import { bucketContract } from './transport-bucket.contract.ts'
import { coreContract } from './transport-core.contract.ts'
import { objectsContract } from './transport-objects.contract.ts'
import { partitionContract } from './transport-partition.contract.ts'
import { streamContract } from './transport-stream.contract.ts'
import { workQueueContract } from './transport-work-queue.contract.ts'
import type { StartWorld } from './transport-world.ts'

export function transportContract(label: string, start: StartWorld): void {
  coreContract(label, start)
  streamContract(label, start)
  workQueueContract(label, start)
  bucketContract(label, start)
  objectsContract(label, start)
  partitionContract(label, start)
}

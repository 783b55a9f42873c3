// The thread behind signer.ts: batches in, signatures out, in order.

import { createPrivateKey } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { type SignRequest, signWith } from './signer.ts'

const keys = (workerData as string[]).map((pem) => createPrivateKey(pem))
parentPort!.on('message', (batch: SignRequest[]) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is a window's, not a thread's
  parentPort!.postMessage(batch.map(({ key, data }) => signWith(keys[key]!, data)))
})

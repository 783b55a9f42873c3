// The thread of signer.ts: gets batches, returns signatures in the same order.

import { createPrivateKey } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { type SignRequests, signWith } from './signer.ts'

const keys = (workerData as string[]).map((pem) => createPrivateKey(pem))
parentPort!.on('message', ([wanted, data]: SignRequests) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is a window's, not a thread's
  parentPort!.postMessage(wanted.map((key, i) => signWith(keys[key]!, data[i]!)))
})

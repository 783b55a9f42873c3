// The caller's side of the control address: finds the running server, sends it the arguments, and prints its output.

import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import path from 'node:path'
import { linesOf } from '../base/lines.ts'

export interface ControlCall {
  /** The arguments after the program's name. */
  words: string[]
  cwd: string
  isTty: boolean
  columns: number
  /** The person at the terminal has already confirmed. */
  isConfirmed: boolean
}

export type ControlLine = { stream: 'stdout' | 'stderr'; text: string } | { exit: number }

export interface ControlAddress {
  address: string
  key: string
  pid: number
}

export const controlFile = (dataDir: string): string => path.join(dataDir, 'control.json')

/** null: no server has written its address there. A server that did may be dead. */
export function readControlFile(dataDir: string): ControlAddress | null {
  try {
    const control = JSON.parse(readFileSync(controlFile(dataDir), 'utf8')) as Partial<ControlAddress>
    const { address, key, pid } = control
    return typeof address === 'string' && typeof key === 'string' && typeof pid === 'number'
      ? { address, key, pid }
      : null
  } catch {
    return null
  }
}

/** Whether the server with this address answers. */
export function isAnswering(control: ControlAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(control.address, { headers: { authorization: `Bearer ${control.key}` }, timeout: 2000 })
    asked.on('response', (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(false))
    asked.end()
  })
}

/**
 * Runs the command in the server. Aborting `signal` closes the connection, which ends the command there. Resolves to the exit
 * code.
 */
export function callServer(
  control: ControlAddress,
  call: ControlCall,
  write: { stdout(text: string): Promise<void> | void; stderr(text: string): void },
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify(call)
    const asked = request(control.address, {
      method: 'POST',
      headers: { authorization: `Bearer ${control.key}`, 'content-type': 'application/json' },
      signal,
    })
    asked.on('error', (cause) => reject(cause))
    asked.on('response', (response) => {
      const read = async () => {
        for await (const lines of linesOf(response))
          for (const text of lines) {
            const line = JSON.parse(text) as ControlLine
            if ('exit' in line) return line.exit
            if (line.stream === 'stdout') await write.stdout(line.text)
            else write.stderr(line.text)
          }
        throw new Error('The server stopped before the command was finished.')
      }
      read().then(resolve, reject)
    })
    asked.end(body)
  })
}

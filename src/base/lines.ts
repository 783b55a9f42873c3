// The lines of a stream. Node's readline also ends a line at U+2028 and U+2029, which JSON may contain unescaped.

/** Lines without their line ends, in groups as the bytes arrive. The last line may lack its line end. UTF-8. */
export async function* linesOf(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<string[]> {
  let rest: Buffer[] = []
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array)
    const end = bytes.lastIndexOf(10)
    if (end === -1) {
      rest.push(bytes)
      continue
    }
    yield Buffer.concat([...rest, bytes.subarray(0, end)])
      .toString('utf8')
      .split('\n')
    rest = [bytes.subarray(end + 1)]
  }
  const last = Buffer.concat(rest)
  if (last.length) yield [last.toString('utf8')]
}

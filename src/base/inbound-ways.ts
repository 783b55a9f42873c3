// What the variables about mail that comes back hold.

const snsTopic = /^arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+)+-\d{1,2}):\d{12}:[\w-]{1,256}(?:\.fifo)?$/

export function isSnsTopic(arn: string): boolean {
  return snsTopic.test(arn)
}

/** The host of AWS in the region of a topic; null: that is no topic. */
export function snsHostOf(arn: string): string | null {
  const [, partition, region] = snsTopic.exec(arn) ?? []
  return region ? `sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}` : null
}

// Where a request comes from, for limits: an address, and for IPv6 the networks around it. A rented server comes with at least a
// /64, often a /56 or a /48, so counting addresses or /64s alone limits nobody.

import ipaddr from 'ipaddr.js'

/** From the address itself to the widest network, each in one spelling: `2001:db8::/48`. Pure. */
export function placesOf(ip: string): { name: 'ip' | '64' | '56' | '48'; place: string }[] {
  if (!ipaddr.isValid(ip)) return []
  const address = ipaddr.process(ip)
  const own = { name: 'ip' as const, place: address.toString() }
  // The operator, or a proxy that isn't configured: counting it would lock out everyone at once.
  if (address.range() === 'loopback') return []
  if (address.kind() === 'ipv4') return [own]
  const bytes = address.toByteArray()
  const networks = ([64, 56, 48] as const).map((bits) => {
    const kept = bytes.map((byte, index) => (index < bits / 8 ? byte : 0))
    return { name: String(bits) as '64' | '56' | '48', place: `${ipaddr.fromByteArray(kept).toString()}/${bits}` }
  })
  return [own, ...networks]
}

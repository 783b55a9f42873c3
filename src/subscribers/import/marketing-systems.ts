// Entries of systems.ts for systems that keep customers and campaigns, too.

import { against, field, nothing, status, tags } from './readings.ts'
import { all, each, type System } from './system-entry.ts'

export const marketingSystems: readonly System[] = [
  {
    name: 'Constant Contact',
    has: [['email address', 'email permission status']],
    columns: {
      'email address': field('email'),
      'email permission status': status({
        express: 'subscribed',
        implied: 'subscribed',
        'not set': 'pending',
        'temporary hold': 'unsubscribed',
      }),
      'confirmed opt out date': against('unsubscribed', 'unsubscribed_at'),
      'email lists': tags,
      'created at': field('created_at'),
      ...each('email update source, source name, updated at', nothing),
    },
  },
  {
    name: 'HubSpot',
    has: [
      ['email', 'unsubscribed from all email'],
      ['email', 'marketing contact status'],
    ],
    columns: {
      'marketing contact status': status({
        'marketing contact': 'subscribed',
        'non marketing contact': 'unsubscribed',
      }),
      'unsubscribed from all email': against('unsubscribed'),
      'email hard bounce reason': { as: 'trace', standing: 'bounced' },
      'email address quarantined': against('bounced'),
      ...each('email confirmation status, marketing email confirmation status', status()),
      'create date': field('created_at'),
      ...each('record id, contact owner, lead status, lifecycle stage', nothing),
    },
  },
  {
    name: 'Mautic',
    has: [
      ['email', 'do not contact', 'points'],
      ['email', 'do not contact', 'date identified'],
      ['email', 'do not contact', 'dnc reason'],
    ],
    columns: {
      'do not contact': status({
        ...all('0, no, false'),
        1: 'unsubscribed',
        2: 'bounced',
        3: 'unsubscribed',
        yes: 'unsubscribed',
        true: 'unsubscribed',
      }),
      'dnc reason': status({ manual: 'unsubscribed' }),
      ...each('date added, date identified', field('created_at')),
      ...each('id, points, stage, last active', nothing),
    },
  },
  {
    name: 'beehiiv',
    has: [
      ['email', 'status', 'subscription tier'],
      ['email', 'status', 'subscription premium tier names'],
      ['email', 'status', 'referral code'],
    ],
    columns: {
      status: status({
        inactive: 'unsubscribed',
        paused: 'unsubscribed',
        validating: 'pending',
        'needs attention': 'pending',
        invalid: 'bounced',
      }),
      ...each('created, created at', field('consent_at')),
      tags,
      ...each(
        'id, subscription tier, subscription premium tier names, utm source, utm medium, utm channel, utm campaign, referring site, referral code',
        nothing,
      ),
    },
  },
  {
    name: 'rapidmail',
    has: [
      ['email', 'recipientlist id', 'status'],
      ['email', 'mailtype', 'status'],
    ],
    columns: {
      status: status({ new: 'pending', abused: 'complained' }),
      created: field('consent_at'),
      activated: field('confirmed_at'),
      deleted: against('unsubscribed', 'unsubscribed_at'),
      'created ip': field('consent_ip'),
      ...each('id, recipientlist id, mailtype, created host, updated', nothing),
    },
  },
]

// Exports of systems that have no entry, and of some that have, with made-up people, as those systems write them: exactly the
// subscribed ones may be mailed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readText } from '../support/lists.ts'

const exports_: Record<string, { people: Record<string, string>; text: string }> = {
  Brevo: {
    people: { subscribed: 'ada', pending: 'nod' },
    text: `CONTACT ID;EMAIL;FIRSTNAME;LASTNAME;SMS;WHATSAPP;DOUBLE_OPT-IN;OPT_IN;ADDED_TIME;MODIFIED_TIME
1;ada@example.com;Ada;L;;;Yes;Yes;2024-03-01 10:00:00;2024-03-02 10:00:00
2;nod@example.com;N;O;;;No;;2024-03-01 10:00:00;2024-03-02 10:00:00`,
  },
  Sendinblue: {
    people: { subscribed: 'ada', blocked: 'bla' },
    text: `"EMAIL";"NOM";"PRENOM";"BLACKLISTED";"DATE D'AJOUT";"LISTES"
"ada@example.com";"L";"Ada";"0";"01-03-2024 10:00:00";"Matin"
"bla@example.com";"L";"B";"1";"01-03-2024 10:00:00";"Matin"`,
  },
  'Brevo status': {
    people: { subscribed: 'ada', blocked: 'uns blo' },
    text: `EMAIL,FIRSTNAME,EMAIL CAMPAIGNS,SMS CAMPAIGNS,BLOCKLISTED,LAST CHANGED
ada@example.com,Ada,Subscribed,Unsubscribed,No,03/01/2024
uns@example.com,U,Unsubscribed,Subscribed,Yes,03/01/2024
blo@example.com,B,Blocklisted,,Yes,03/01/2024`,
  },
  'Constant Contact': {
    people: { subscribed: 'ada imp', pending: 'pen not', unsubscribed: 'uns hol' },
    text: `"Email address","First name","Last name","Company","Email status","Email permission status","Email update source","Confirmed Opt-Out Date","Confirmed Opt-Out Source","Confirmed Opt-Out Reason","Email Lists","Source Name","Created At","Updated At"
"ada@example.com","Ada","L","","Active","Express","Contact","","","","News","Sign up","2024-03-01 10:00:00 AM EST","2024-03-01"
"imp@example.com","I","L","","Active","Implied","Account","","","","News","Import","2024-03-01","2024-03-01"
"pen@example.com","P","L","","Active","Pending Confirmation","","","","","News","","2024-03-01","2024-03-01"
"uns@example.com","U","L","","Unsubscribed","Unsubscribed","Contact","2024-04-01","Contact","Too many","News","","2024-03-01","2024-03-01"
"hol@example.com","H","L","","Active","Temporary Hold","","","","","News","","2024-03-01","2024-03-01"
"not@example.com","N","L","","Active","Not Set","","","","","News","","2024-03-01","2024-03-01"`,
  },
  'Campaign Monitor': {
    people: { subscribed: 'ada', unsubscribed: 'uns del', pending: 'unc', bounced: 'bou' },
    text: `Email Address,Name,Status,Date,Consent to track
ada@example.com,Ada,Active,2024-03-01 10:00,Yes
uns@example.com,U,Unsubscribed,2024-03-01 10:00,No
unc@example.com,C,Unconfirmed,2024-03-01 10:00,Unchanged
bou@example.com,B,Bounced,2024-03-01 10:00,
del@example.com,D,Deleted,2024-03-01 10:00,`,
  },
  'Campaign Monitor de': {
    people: { subscribed: 'ada', unsubscribed: 'uns', bounced: 'bou' },
    text: `E-Mail-Adresse;Name;Status;Anmeldedatum
ada@example.com;Ada;Aktiv;01.03.2024
uns@example.com;U;Abgemeldet;01.03.2024
bou@example.com;B;Zurückgewiesen;01.03.2024`,
  },
  'ConvertKit legacy': {
    people: { subscribed: 'ada', unsubscribed: 'can', bounced: 'bou' },
    text: `Subscriber Name,Subscriber Email,Subscriber State,Subscribed At,Cancelled At
Ada,ada@example.com,active,2020-01-01 00:00:00,
C,can@example.com,cancelled,2020-01-01 00:00:00,2021-01-01 00:00:00
B,bou@example.com,bounced,2020-01-01 00:00:00,`,
  },
  Beehiiv: {
    people: { subscribed: 'ada', unsubscribed: 'ina pau', pending: 'pen val nee', bounced: 'inv' },
    text: `id,email,status,created,subscription_tier,subscription_premium_tier_names,utm_source,utm_medium,utm_channel,utm_campaign,referring_site,referral_code,tags
sub_1,ada@example.com,active,2024-03-01T10:00:00Z,free,,twitter,,website,,,aB1,
sub_2,ina@example.com,inactive,2024-03-01T10:00:00Z,free,,,,,,,aB2,
sub_3,pen@example.com,pending,2024-03-01T10:00:00Z,free,,,,,,,aB3,
sub_4,val@example.com,validating,2024-03-01T10:00:00Z,free,,,,,,,aB4,
sub_5,inv@example.com,invalid,2024-03-01T10:00:00Z,free,,,,,,,aB5,
sub_6,nee@example.com,needs_attention,2024-03-01T10:00:00Z,free,,,,,,,aB5,
sub_7,pau@example.com,paused,2024-03-01T10:00:00Z,free,,,,,,,aB5,`,
  },
  MailerLite: {
    people: { subscribed: 'ada', unsubscribed: 'uns', pending: 'unc', bounced: 'bou', blocked: 'jun' },
    text: `Subscriber,Status,Source,Sent,Opens,Clicks,Subscribed,Location,Fields.Name,Opt-in IP,Confirmed at,Unsubscribed at,Groups
ada@example.com,active,webform,10,3,1,2024-03-01 10:00:00,Berlin,Ada,192.0.2.1,2024-03-01 10:05:00,,News
uns@example.com,unsubscribed,webform,10,3,1,2024-03-01 10:00:00,Berlin,U,192.0.2.1,2024-03-01 10:05:00,2024-05-01 10:00:00,News
unc@example.com,unconfirmed,webform,0,0,0,2024-03-01 10:00:00,Berlin,U,192.0.2.1,,,News
bou@example.com,bounced,import,1,0,0,2024-03-01 10:00:00,,B,,,,News
jun@example.com,junk,import,1,0,0,2024-03-01 10:00:00,,B,,,,News`,
  },
  'MailerLite classic': {
    people: { subscribed: 'ada', unsubscribed: 'uns' },
    text: `Email,Name,Last name,Company,Country,City,Phone,Opened,Clicked,Subscribe date,Update date,Signup IP,Confirmation date,Confirmation IP,Unsubscribe date,Type
ada@example.com,Ada,L,,DE,Berlin,,3,1,2019-03-01 10:00:00,2019-03-02 10:00:00,192.0.2.1,2019-03-01 10:10:00,192.0.2.1,,active
uns@example.com,U,L,,DE,Berlin,,3,1,2019-03-01 10:00:00,2019-03-02 10:00:00,192.0.2.1,2019-03-01 10:10:00,192.0.2.1,2020-01-01 10:00:00,unsubscribed`,
  },
  ActiveCampaign: {
    people: { subscribed: 'ada', unsubscribed: 'uns', pending: 'unc', bounced: 'bou' },
    text: `"ID","Email","First Name","Last Name","Phone","Date Created","Date Modified","IP Address","Status","Unsubscribe Reason","Lists","Tags","Account Name","Contact Score"
"1","ada@example.com","Ada","L","","2024-03-01 10:00:00","2024-03-01","192.0.2.1","Active","","News","vip","","7"
"2","uns@example.com","U","L","","2024-03-01 10:00:00","2024-03-01","192.0.2.1","Unsubscribed","not relevant","News","vip","","7"
"3","unc@example.com","C","L","","2024-03-01 10:00:00","2024-03-01","192.0.2.1","Unconfirmed","","News","vip","","7"
"4","bou@example.com","B","L","","2024-03-01 10:00:00","2024-03-01","192.0.2.1","Bounced","","News","vip","","7"`,
  },
  HubSpot: {
    people: { subscribed: 'ada', unsubscribed: 'uns non opt', bounced: 'bou' },
    text: `Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Lead Status,Marketing contact status,Unsubscribed from all email,Email hard bounce reason,Email Confirmation Status,Create Date,Lifecycle Stage,Opted out of email: Newsletter
1,Ada,L,ada@example.com,,Max,New,Marketing contact,FALSE,,Confirmed,2024-03-01 10:00,Subscriber,
2,U,L,uns@example.com,,Max,Open,Marketing contact,TRUE,,Confirmed,2024-03-01 10:00,Lead,
3,B,L,bou@example.com,,Max,Open Deal,Marketing contact,FALSE,Unknown User,,2024-03-01 10:00,Lead,
4,N,L,non@example.com,,Max,In Progress,Non-marketing contact,FALSE,,,2024-03-01 10:00,Lead,
5,O,L,opt@example.com,,Max,,Marketing contact,,,,2024-03-01 10:00,Lead,TRUE`,
  },
  Sendy: {
    people: { subscribed: 'ada', unsubscribed: 'uns', pending: 'unc', bounced: 'bou sof', complained: 'spa' },
    text: `Name,Email,Status,Last activity
Ada,ada@example.com,Subscribed,1709287200
U,uns@example.com,Unsubscribed,1709287200
C,unc@example.com,Unconfirmed,1709287200
B,bou@example.com,Bounced,1709287200
S,sof@example.com,Soft bounced,1709287200
M,spa@example.com,Marked as spam,1709287200`,
  },
  Mautic: {
    people: { subscribed: 'ada', unsubscribed: 'uns', bounced: 'bou' },
    text: `"id","firstname","lastname","email","company","points","stage","doNotContact","date_added","last_active"
"1","Ada","L","ada@example.com","","3","","0","2024-03-01 10:00:00","2024-03-01"
"2","U","L","uns@example.com","","3","","1","2024-03-01 10:00:00","2024-03-01"
"3","B","L","bou@example.com","","3","","2","2024-03-01 10:00:00","2024-03-01"`,
  },
  'Mautic DNC': {
    people: { subscribed: 'ada', unsubscribed: 'uns', bounced: 'bou' },
    text: `id,email,firstname,lastname,Do Not Contact,DNC reason,date_identified
1,ada@example.com,Ada,L,No,,2024-03-01 10:00:00
2,uns@example.com,U,L,Yes,Unsubscribed,2024-03-01 10:00:00
3,bou@example.com,B,L,Yes,Bounced,2024-03-01 10:00:00`,
  },
  GetResponse: {
    people: { subscribed: 'ada', unsubscribed: 'nog' },
    text: `"name","email","created_on","changed_on","origin","list","ip","country","engagement_score","consent_Newsletter"
"Ada","ada@example.com","2024-03-01 10:00:00","2024-03-01","www","news","192.0.2.1","DE","5","granted"
"N","nog@example.com","2024-03-01 10:00:00","2024-03-01","www","news","192.0.2.1","DE","5","revoked"`,
  },
  'GetResponse 2': {
    people: { subscribed: 'ada', unsubscribed: 'rem bou' },
    text: `Email,Name,Subscribed on,Removed on,Reason,Subscribed via,IP
ada@example.com,Ada,2024-03-01 10:00:00,,,form,192.0.2.1
rem@example.com,R,2024-03-01 10:00:00,2024-05-01 10:00:00,user unsubscribed,form,192.0.2.1
bou@example.com,B,2024-03-01 10:00:00,2024-05-01 10:00:00,bounced,form,192.0.2.1`,
  },
  'CleverReach numbers': {
    people: { subscribed: 'ada', unsubscribed: 'dea ina', bounced: 'bou' },
    text: `id;email;registered;activated;deactivated;bounced;active
1;ada@example.com;1551434400;1551434700;0;0;true
2;dea@example.com;1551434400;1551434700;1583056800;0;false
3;bou@example.com;1551434400;1551434700;0;1583056800;true
4;ina@example.com;1551434400;0;0;0;false`,
  },
  'CleverReach de': {
    people: { subscribed: 'ada', unsubscribed: 'dea', bounced: 'bou' },
    text: `E-Mail;Vorname;Nachname;Registriert am;Aktiviert am;Deaktiviert am;Bounced;Quelle;Status
ada@example.com;Ada;L;01.03.2019 10:00;01.03.2019 10:05;;nein;Formular;Aktiv
dea@example.com;D;L;01.03.2019 10:00;01.03.2019 10:05;01.03.2020 10:05;nein;Formular;Inaktiv
bou@example.com;B;L;01.03.2019 10:00;01.03.2019 10:05;;ja;Formular;Bounced`,
  },
  rapidmail: {
    people: { subscribed: 'ada', pending: 'new', unsubscribed: 'del', bounced: 'bou', complained: 'abu' },
    text: `"id";"recipientlist_id";"email";"firstname";"lastname";"gender";"title";"zip";"birthdate";"extra1";"mailtype";"created_ip";"created_host";"created";"updated";"activated";"status";"deleted"
"1";"9";"ada@example.com";"Ada";"L";"female";"";"";"";"";"html";"192.0.2.1";"";"2024-03-01 10:00:00";"2024-03-01 10:00:00";"2024-03-01 10:05:00";"active";""
"2";"9";"new@example.com";"N";"L";"";"";"";"";"";"html";"";"";"2024-03-01 10:00:00";"";"";"new";""
"3";"9";"del@example.com";"D";"L";"";"";"";"";"";"html";"";"";"2024-03-01 10:00:00";"";"2024-03-01 10:05:00";"deleted";"2024-05-01 10:05:00"
"4";"9";"bou@example.com";"B";"L";"";"";"";"";"";"html";"";"";"2024-03-01 10:00:00";"";"2024-03-01 10:05:00";"bounced";""
"5";"9";"abu@example.com";"A";"L";"";"";"";"";"";"html";"";"";"2024-03-01 10:00:00";"";"2024-03-01 10:05:00";"abused";""`,
  },
  'AcyMailing fr': {
    people: { subscribed: 'ada', pending: 'unc', unsubscribed: 'des ena' },
    text: `nom;adresse e-mail;confirmé;activé;date de création;statut d'abonnement
Ada;ada@example.com;Oui;Oui;2024-03-01 10:00;Abonné
U;unc@example.com;Non;Oui;2024-03-01 10:00;Abonné
D;des@example.com;Oui;Oui;2024-03-01 10:00;Désabonné
E;ena@example.com;Oui;Non;2024-03-01 10:00;Abonné`,
  },
  'AcyMailing 5': {
    people: { subscribed: 'ada', unsubscribed: 'acc', pending: 'unc' },
    text: `name,email,subid,created,confirmed,enabled,accept,html,ip,confirmed_date,listids,subscriptions
Ada,ada@example.com,1,1551434400,1,1,1,1,192.0.2.1,1551434700,1,subscribed
N,acc@example.com,2,1551434400,1,1,0,1,192.0.2.1,1551434700,1,subscribed
U,unc@example.com,3,1551434400,0,1,1,1,192.0.2.1,0,1,subscribed`,
  },
  Newsletter2Go: {
    people: { subscribed: 'ada', unsubscribed: 'abg' },
    text: `E-Mail;Vorname;Nachname;Abgemeldet;Blacklist;Empfänger seit;Doublecheck
ada@example.com;Ada;L;0;0;2019-03-01 10:00:00;1
abg@example.com;A;L;1;0;2019-03-01 10:00:00;1`,
  },
  Mailjet: {
    people: { subscribed: 'ada', unsubscribed: 'uns', blocked: 'exc', pending: 'pen', complained: 'spa' },
    text: `email,name,created at,is unsubscribed,is excluded from campaigns,is opt in pending,is spam complaining,last activity
ada@example.com,Ada,2024-03-01T10:00:00Z,false,false,false,false,2024-03-01
uns@example.com,U,2024-03-01T10:00:00Z,true,false,false,false,2024-03-01
exc@example.com,E,2024-03-01T10:00:00Z,false,true,false,false,2024-03-01
pen@example.com,P,2024-03-01T10:00:00Z,false,false,true,false,2024-03-01
spa@example.com,S,2024-03-01T10:00:00Z,false,false,false,true,2024-03-01`,
  },
  Klaviyo: {
    people: { subscribed: 'ada', unsubscribed: 'uns nev', bounced: 'bou' },
    text: `Email,Klaviyo ID,First Name,Last Name,Email Marketing Consent,Email Marketing Consent Timestamp,Email Suppressions,SMS Marketing Consent,Date Added
ada@example.com,a1,Ada,L,SUBSCRIBED,2024-03-01 10:00:00,[],NEVER_SUBSCRIBED,2024-03-01
uns@example.com,a2,U,L,UNSUBSCRIBED,2024-03-01 10:00:00,['UNSUBSCRIBE'],,2024-03-01
nev@example.com,a3,N,L,NEVER_SUBSCRIBED,,[],,2024-03-01
bou@example.com,a4,B,L,SUBSCRIBED,2024-03-01 10:00:00,['HARD_BOUNCE'],,2024-03-01`,
  },
  'Sarbacane fr': {
    people: { subscribed: 'ada', unsubscribed: 'des', bounced: 'npa' },
    text: `Email;Nom;Prénom;Date d'inscription;Désinscrit;Plainte;NPAI
ada@example.com;L;Ada;01/03/2024;Non;Non;Non
des@example.com;L;D;01/03/2024;Oui;Non;Non
npa@example.com;L;N;01/03/2024;Non;Non;Oui`,
  },
}

for (const [name, { people, text }] of Object.entries(exports_))
  test(`${name}: exactly the subscribed ones may be mailed`, async () => {
    const { standings, rejected } = await readText(text)
    const found = Object.groupBy(Object.entries(standings), ([, standing]) => standing)
    const names = Object.entries(found).map(([standing, some]) => [
      standing,
      some!.map(([email]) => email.split('@')[0]).join(' '),
    ])
    assert.deepEqual(Object.fromEntries(names), people)
    assert.deepEqual(rejected, [])
  })

test('a word that may forbid mail still stops the import where the row itself says nothing', async () => {
  for (const text of [
    'email,status\nada@example.com,neu\n',
    'email,reason\nada@example.com,unsubscribed by phone\n',
    'email,customer status\nada@example.com,blocked\n',
  ])
    await assert.rejects(readText(text), /Nothing was imported/, text)
})

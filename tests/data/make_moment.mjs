// Asks moment itself how it writes L, LL and LLL; the answers are committed as moment.json.
//
//   npm install moment@2.31 moment-timezone
//   node make_moment.mjs > moment.json
import moment from "moment-timezone";
import "moment/locale/es.js";
import "moment/locale/fr.js";
import "moment/locale/it.js";
import "moment/locale/nl.js";
import "moment/locale/pt-br.js";

const languages = ["en", "es", "fr", "it", "nl", "pt-BR"];

// Around each change of the clocks: the last second before it and its first second.
const instants = {
  "Europe/Madrid": [
    "2026-03-05T14:07:09.000Z", "2026-12-31T23:30:00.000Z",
    "2026-03-29T00:59:59.999Z", "2026-03-29T01:00:00.000Z",
    "2026-10-25T00:59:59.999Z", "2026-10-25T01:00:00.000Z",
    "2025-12-31T22:59:59.999Z", "2025-12-31T23:00:00.000Z",
    "1976-03-27T21:59:59.000Z", "1976-03-27T22:00:00.000Z",
    "2026-08-01T10:00:00.000Z", "2026-08-01T22:00:00.000Z", "2026-09-09T07:05:00.000Z",
  ],
  "America/New_York": [
    "2026-03-08T06:59:59.999Z", "2026-03-08T07:00:00.000Z",
    "2026-11-01T05:59:59.999Z", "2026-11-01T06:00:00.000Z",
    "2027-01-01T04:59:59.999Z", "2027-01-01T05:00:00.000Z",
    "2026-02-03T17:00:00.000Z", "2026-02-03T16:59:00.000Z",
    "2026-05-04T13:04:00.000Z", "1987-04-05T07:00:00.000Z",
  ],
  "America/Sao_Paulo": [
    "2018-11-04T02:59:59.999Z", "2018-11-04T03:00:00.000Z",
    "2019-02-17T01:59:59.999Z", "2019-02-17T02:00:00.000Z",
    "2026-01-01T02:59:59.999Z", "2026-01-01T03:00:00.000Z",
    "2026-06-07T12:09:00.000Z", "2026-10-10T15:00:00.000Z",
  ],
  "Asia/Kolkata": [
    "2026-04-30T18:29:59.999Z", "2026-04-30T18:30:00.000Z",
    "2024-02-29T06:30:00.000Z", "2026-07-07T20:35:00.000Z",
    "1965-11-05T00:00:00.000Z",
  ],
  "Pacific/Auckland": [
    "2026-04-04T13:59:59.999Z", "2026-04-04T14:00:00.000Z",
    "2026-09-26T13:59:59.999Z", "2026-09-26T14:00:00.000Z",
    "2026-12-31T10:59:59.999Z", "2026-12-31T11:00:00.000Z",
    "1974-11-02T14:00:00.000Z",
  ],
  "UTC": ["1970-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "2000-02-29T12:00:00.000Z"],
};

const lines = [];
for (const [zone, ofZone] of Object.entries(instants)) {
  for (const instant of ofZone) {
    for (const language of languages) {
      const local = moment.tz(instant, zone).locale(language.toLowerCase());
      const [L, LL, LLL] = ["L", "LL", "LLL"].map((format) => local.format(format));
      lines.push(" " + JSON.stringify({ instant, zone, language, L, LL, LLL }));
    }
  }
}
console.log("[\n" + lines.join(",\n") + "\n]");

// Loaded into Ghost before it starts: it asks an outside service where each member sits, and tries again for three
// seconds where nobody answers. Here no name but this machine's own is looked up, and that is told at once.
const dns = require("dns");
const lookup = dns.lookup;

dns.lookup = (host, ...rest) => {
    if (host === "localhost" || require("net").isIP(host)) {
        return lookup(host, ...rest);
    }
    const error = Object.assign(new Error(`no internet here: ${host}`), { code: "EOFFLINE" });
    process.nextTick(rest.at(-1), error);
};

// Lists EtherNet/IP identities by broadcast and reads a device's attributes as an engineering tool does.
// usage: node enip.js SECONDS IP
const { Browser, Controller } = require('st-ethernet-ip');
const [seconds, ip] = [Number(process.argv[2]), process.argv[3]];
const browser = new Browser(51687, '0.0.0.0', true, 10000);
const controller = new Controller(false);

browser.on('New Device', (found) => console.log(found.EncapsulatedDataItem ? 'found' : found));
controller.on('error', () => {});
setTimeout(() => controller.connect(ip, 0).catch((error) => console.error(String(error))), 2000);
setTimeout(() => process.exit(0), seconds * 1000);

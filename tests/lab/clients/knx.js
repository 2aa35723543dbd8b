// Switches lights through a KNXnet/IP gateway's tunnel; asks for no description. usage: node knx.js IP
const { KNXClient, KNXClientEvents } = require('knxultimate');
const client = new KNXClient({ ipAddr: process.argv[2], ipPort: '3671', hostProtocol: 'TunnelUDP', physAddr: '1.1.120', interface: 'eth0', loglevel: 'error' });
let on = false;

client.on(KNXClientEvents.error, () => {});
client.on(KNXClientEvents.connected, () => setInterval(() => client.write('1/2/3', (on = !on), '1.001'), 1000));
client.Connect();

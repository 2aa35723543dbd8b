// HSMS (npm secs4js): equipment with a model and a version, or a host that selects it and asks for its status only.
// usage: node hsms.js equipment IP MODEL VERSION | host IP
const { HsmsPassiveCommunicator, HsmsActiveCommunicator, L, A, U4, B } = require('secs4js');
const [role, ip, model, version] = process.argv.slice(2);
const at = { ip, port: 5000, deviceId: 1 };

if (role === 'equipment') {
	const equipment = new HsmsPassiveCommunicator({ ...at, isEquip: true, name: 'equipment' });
	const answers = { 1: () => L(A(model), A(version)), 3: () => L(U4(17)), 13: () => L(B(0), L(A(model), A(version))) };

	equipment.on('message', (m) => {
		if (m.stream === 1 && answers[m.func])
			equipment.reply(m, 1, m.func + 1, answers[m.func]());
	});
	equipment.open();
} else {
	const host = new HsmsActiveCommunicator({ ...at, isEquip: false, name: 'host' });

	(async () => {
		await host.open();
		await host.untilConnected();
		setInterval(() => host.send(1, 3, true, L(U4(1))).catch(() => {}), 700);
	})();
}

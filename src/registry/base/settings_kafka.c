#include "registry/base/settings_kafka.h"

#include <stddef.h>
#include <string.h>

/* Behind the prefix. */
static const char *const names[] = {
	"bootstrap.servers",
	"topic",
	"topic.replication.factor",
	"topic.skip.validation",
	"adopt",
	"timeout.ms",
	"init.timeout.ms",
	"write.mode",

	/* a client's */
	"acks",
	"client.dns.lookup",
	"client.id",
	"client.rack",
	"connections.max.idle.ms",
	"delivery.timeout.ms",
	"enable.idempotence",
	"fetch.max.bytes",
	"heartbeat.interval.ms",
	"interceptor.classes",
	"linger.ms",
	"max.partition.fetch.bytes",
	"max.poll.interval.ms",
	"max.request.size",
	"message.max.bytes",
	"metadata.max.age.ms",
	"receive.buffer.bytes",
	"reconnect.backoff.max.ms",
	"reconnect.backoff.ms",
	"request.timeout.ms",
	"retries",
	"retry.backoff.max.ms",
	"retry.backoff.ms",
	"security.protocol",
	"security.providers",
	"send.buffer.bytes",
	"session.timeout.ms",
	"socket.connection.setup.timeout.max.ms",
	"socket.connection.setup.timeout.ms",
	"socket.timeout.ms",

	"sasl.client.callback.handler.class",
	"sasl.jaas.config",
	"sasl.kerberos.keytab",
	"sasl.kerberos.kinit.cmd",
	"sasl.kerberos.min.time.before.relogin",
	"sasl.kerberos.principal",
	"sasl.kerberos.service.name",
	"sasl.kerberos.ticket.renew.jitter",
	"sasl.kerberos.ticket.renew.window.factor",
	"sasl.login.callback.handler.class",
	"sasl.login.class",
	"sasl.login.connect.timeout.ms",
	"sasl.login.read.timeout.ms",
	"sasl.login.refresh.buffer.seconds",
	"sasl.login.refresh.min.period.seconds",
	"sasl.login.refresh.window.factor",
	"sasl.login.refresh.window.jitter",
	"sasl.login.retry.backoff.max.ms",
	"sasl.login.retry.backoff.ms",
	"sasl.mechanism",
	"sasl.mechanisms",
	"sasl.oauthbearer.clock.skew.seconds",
	"sasl.oauthbearer.expected.audience",
	"sasl.oauthbearer.expected.issuer",
	"sasl.oauthbearer.jwks.endpoint.url",
	"sasl.oauthbearer.scope.claim.name",
	"sasl.oauthbearer.sub.claim.name",
	"sasl.oauthbearer.token.endpoint.url",
	"sasl.password",
	"sasl.username",

	"ssl.ca.location",
	"ssl.ca.pem",
	"ssl.certificate.location",
	"ssl.certificate.pem",
	"ssl.cipher.suites",
	"ssl.crl.location",
	"ssl.curves.list",
	"ssl.enabled.protocols",
	"ssl.endpoint.identification.algorithm",
	"ssl.engine.factory.class",
	"ssl.key.location",
	"ssl.key.password",
	"ssl.key.pem",
	"ssl.keymanager.algorithm",
	"ssl.keystore.certificate.chain",
	"ssl.keystore.key",
	"ssl.keystore.location",
	"ssl.keystore.password",
	"ssl.keystore.type",
	"ssl.protocol",
	"ssl.provider",
	"ssl.secure.random.implementation",
	"ssl.sigalgs.list",
	"ssl.trustmanager.algorithm",
	"ssl.truststore.certificates",
	"ssl.truststore.location",
	"ssl.truststore.password",
	"ssl.truststore.type",
};

bool
settings_kafka_is_one(const char *name)
{
	return strncmp(name, SETTINGS_KAFKA_PREFIX, strlen(SETTINGS_KAFKA_PREFIX)) == 0;
}

bool
settings_kafka_known(const char *name)
{
	size_t i;

	if (!settings_kafka_is_one(name))
		return false;
	name += strlen(SETTINGS_KAFKA_PREFIX);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

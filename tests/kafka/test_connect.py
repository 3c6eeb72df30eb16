#!/usr/bin/env -S python3 -B
"""An unmodified Connect whose connectors' secrets come from a registry."""
import atexit
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_kafka import jvm  # noqa: E402 (it adds the registry's lib)
from lib_kafka.cluster import Broker, FixedRegistry, Worker, until  # noqa: E402
from lib import harness, run  # noqa: E402
from lib.check import check, ok, same, status  # noqa: E402
from lib.harness import MARKER  # noqa: E402
from lib.rest import V  # noqa: E402

FILE = 'org.apache.kafka.connect.file.FileStream'
VALIDATE = f'/connector-plugins/{FILE}SinkConnector/config/validate'


class Site:
    """The registry, the broker and the worker; the cases run in order and share them."""

    def __init__(self):
        self.folder = harness.scratch('connect')
        self.registry = FixedRegistry().start()
        self.registry.kept = True
        adm = self.registry.as_('adm')
        self.grant('ConnectWorker', principal='wrk')
        ok(adm.post(V('other', 'k'), {'secret': MARKER + '-other'}))
        for name in ('in', 'out', 'out2'):
            ok(adm.post(V('source' if name == 'in' else 'sink', name),
                        {'secret': self.path(name)}))
        plugins = os.path.join(self.folder, 'plugins', 'propseal')
        os.makedirs(plugins)
        os.symlink(jvm.JAR, os.path.join(plugins, 'propseal.jar'))
        token = harness.write(os.path.join(self.folder, 'token'), self.registry.tokens['wrk'])
        param = 'config.providers.secret.param.'
        self.provider = {
            'config.providers': 'secret',
            'config.providers.secret.class': 'propseal.connect.SecretRegistryConfigProvider',
            param + 'url': f'http://127.0.0.1:{self.registry.port}', param + 'token.file': token,
            param + 'retry.timeout.ms': 2000,
            'rest.extension.classes': 'propseal.connect.SecretRegistryRestExtension'}
        self.broker = Broker(self.folder)
        self.worker = Worker(self.folder, self.broker, os.path.dirname(plugins), self.provider)
        atexit.register(self.stop)
        self.broker.start()
        self.worker.start()

    def grant(self, role, **whom):
        status(self.registry.as_('adm').put('/secret/admin/role-bindings', {'role': role, **whom}),
               204)

    def path(self, name):
        """A file whose name is a secret."""
        return os.path.join(self.folder, MARKER + '-' + name)

    def ask(self, *args, who=None, **more):
        headers = {**({'Authorization': self.registry.bearer(who)} if who else {}),
                   **more.pop('headers', {})}
        return self.worker.ask(*args, headers=headers, **more)

    def state(self, connector, who=None):
        code, body, _ = self.ask('GET', f'/connectors/{connector}/status', who=who)
        if code != 200:
            return None
        return [body['connector']['state']] + [t['state'] for t in body['tasks']]

    def runs(self, connector, who=None):
        until(lambda: self.state(connector, who) == ['RUNNING', 'RUNNING'], f'{connector} runs')

    def topic(self, name):
        """All bytes of it, which the broker does not compress."""
        data = b''
        folder = os.path.join(self.folder, 'data', name + '-0')
        for file in os.listdir(folder):
            if file.endswith('.log'):
                with open(os.path.join(folder, file), 'rb') as f:
                    data += f.read()
        return data

    def log(self):
        with open(self.worker.jvm.log, encoding='utf-8', errors='replace') as f:
            return f.read()

    def stop(self):
        self.worker.stop()
        self.broker.stop()


_site = None


def site():
    global _site
    _site = _site or Site()
    return _site


def sink(name='sink', file='${secret:sink:out}', **more):
    return {'connector.class': FILE + 'SinkConnector', 'tasks.max': '1', 'topics': 't',
            'name': name, 'file': file, **more}


def say(name, line):
    with open(site().path(name), 'a', encoding='utf-8') as f:
        f.write(line + '\n')


def said(name):
    try:
        with open(site().path(name), encoding='utf-8') as f:
            return f.read()
    except FileNotFoundError:
        return ''


def got(answer, code):
    same(answer[0], code, f'status ({answer[1]!r})')
    return answer[1]


def refused(answer, *named, code=400):
    body = got(answer, code)
    same(sorted(body), ['error_code', 'message'], 'members')
    same(body['error_code'], code, 'error_code')
    for word in named:
        check(word in body['message'], f'{word} in the message', body['message'])
    check(MARKER not in body['message'], 'no value', body['message'])
    return body['message']


def c01_source_and_sink():
    s = site()
    say('in', 'line one')
    config = {'connector.class': FILE + 'SourceConnector', 'tasks.max': '1', 'topic': 't',
              'file': '${secret:source:in}', 'name': 'source'}
    got(s.ask('POST', '/connectors', {'name': 'source', 'config': config}), 201)
    got(s.ask('PUT', '/connectors/sink/config', sink()), 201)
    until(lambda: said('out') == 'line one\n', 'the line')
    s.runs('source')
    s.runs('sink')


def c02_the_config_topic_holds_references_only():
    s = site()
    same(got(s.ask('GET', '/connectors/sink'), 200)['config']['file'], '${secret:sink:out}',
         'what is shown')
    for topic in ('c-config', 'c-status'):
        check(MARKER.encode() not in s.topic(topic), f'no value in {topic}')
    check(b'${secret:sink:out}' in s.topic('c-config'), 'the reference in it')


def c03_a_foreign_path_is_refused():
    s = site()
    reference = '${secret:other:k}'
    bad = sink('new', 'x' + reference + '${secret:new:fine}')
    for answer in (s.ask('POST', '/connectors', {'name': 'new', 'config': bad}),
                   s.ask('PUT', '/connectors/new/config', bad),
                   s.ask('PUT', '/connectors/sink/config', sink(file=reference)),
                   s.ask('PUT', VALIDATE, bad)):
        message = refused(answer, 'file', reference, 'not the connector\'s name')
        check('${secret:new:fine}' not in message, 'nothing of what is right', message)
    refused(s.ask('PATCH', '/connectors/sink/config', {'file': reference}), reference)
    refused(s.ask('PUT', VALIDATE, {k: v for k, v in bad.items() if k != 'name'}), 'a name')
    refused(s.ask('POST', '/connectors', {'name': 'other', 'config': bad}), 'not the connector')
    refused(s.ask('PUT', '/connectors/new/config', sink('new', '${secret:k}')), 'names no path')
    refused(s.ask('PUT', '/connectors/new/config', sink('new', '${secret:new:1k}')),
            'key is not valid')
    many = {f'k{i}': reference for i in range(60)}
    check(refused(s.ask('PUT', '/connectors/new/config', sink('new', 'f', **many)),
                  'and 10 more').count(reference) == 50, 'fifty are listed')
    same(sorted(got(s.ask('GET', '/connectors'), 200)), ['sink', 'source'], 'connectors')
    same(got(s.ask('GET', '/connectors/sink/config'), 200)['file'], '${secret:sink:out}', 'as it was')


def c04_nor_by_another_spelling():
    s = site()
    reference = '${secret:other:k}'
    bad = json.dumps(sink('new', reference))
    good = json.dumps(sink('new', 'f'))
    for what, method, path, body in (
            ('a member twice', 'PUT', '/connectors/new/config', good[:-1] + ',' + bad[1:]),
            ('"config" twice', 'POST', '/connectors',
             '{"name":"new","config":%s,"config":%s}' % (good, bad)),
            ('escapes', 'PUT', '/connectors/new/config', bad.replace('$', '\\u0024')),
            ('UTF-16', 'PUT', '/connectors/new/config', bad.encode('utf-16')),
            ('UTF-32', 'PUT', '/connectors/new/config', bad.encode('utf-32-be')),
            ('a byte order mark', 'PUT', '/connectors/new/config', bad.encode('utf-8-sig')),
            ('matrix parameters', 'PUT', '/connectors;a=b/new;c=d/config;e=f', bad),
            ('a slash at the end', 'PUT', '/connectors/new/config/', bad),
            ('an encoded letter', 'PUT', '/%63onnectors/new/config', bad),
            ('blanks around the name', 'POST', '/connectors',
             json.dumps({'name': ' other ', 'config': sink('new', reference)})),
            ('another capital', 'PUT', '/connectors/Sink/config',
             json.dumps(sink('Sink', '${secret:sink:out}')))):
        body = body if isinstance(body, bytes) else body.encode()
        code, answer, _ = s.ask(method, path, body)
        check(400 <= code < 500, f'{what} is refused', (code, answer))
        check(MARKER not in str(answer), 'no value', answer)
    same(sorted(got(s.ask('GET', '/connectors'), 200)), ['sink', 'source'], 'connectors')


def c05_a_secret_that_is_not_there():
    s = site()
    code, body, _ = s.ask('PUT', '/connectors/new/config', sink('new', '${secret:new:none}'))
    check(code in (400, 500) and '${secret:new:none}' in str(body) and MARKER not in str(body),
          'it is refused by the registry', (code, body))


def c06_a_changed_version_is_taken_at_a_restart():
    s = site()
    ok(s.registry.as_('adm').post(V('sink', 'out'), {'secret': s.path('out2')}))
    got(s.ask('POST', '/connectors/sink/restart?includeTasks=true'), 202)
    s.runs('sink')
    say('in', 'line two')
    until(lambda: 'line two\n' in said('out2'), 'the line in the other file')
    check('line two' not in said('out'), 'not in the first')


def c07_the_registry_on_the_worker_s_port():
    s = site()
    path = '/secret/paths/sink/keys/extra/versions'
    got(s.ask('GET', '/secret/paths'), 401)
    same(got(s.ask('GET', '/secret/paths', who='adm'), 200), ['other', 'sink', 'source'], 'paths')
    same(got(s.ask('GET', '/secret/paths?prefix=si', who='adm'), 200), ['sink'], 'by prefix')
    made = got(s.ask('POST', path, {'secret': MARKER}, who='adm'), 200)
    same((made['version'], made['secret']), (1, MARKER), 'made')
    code, body, headers = s.ask('GET', path + '/latest', who='adm')
    same((code, body['secret']), (200, MARKER), 'value')
    same(headers['Cache-Control'], 'no-store', 'Cache-Control')
    same(headers.get_content_type(), 'application/json', 'type')
    got(s.ask('GET', path + '/latest', who='adm', headers={'If-None-Match': headers['ETag']}), 304)
    got(s.ask('GET', path + '/latest', who='dr'), 403)
    got(s.ask('POST', path, b'{', who='adm'), 400)
    got(s.ask('GET', '/secret/paths/a%20b/keys', who='adm'), 200)
    same(got(s.ask('DELETE', path[:-9], who='adm'), 200), [1], 'deleted')
    got(s.ask('GET', path + '/latest', who='adm'), 404)


def c08_the_registry_goes_and_comes_back():
    s = site()
    s.registry.stop()
    say('in', 'line three')
    until(lambda: 'line three\n' in said('out2'), 'what runs goes on')
    code, body, _ = s.ask('PUT', '/connectors/sink/config', sink(**{'tasks.max': '2'}))
    check(code >= 400 and MARKER not in str(body), 'a change is refused', (code, body))
    refused(s.ask('GET', '/secret/paths', who='adm'), 'does not answer', code=503)
    s.registry.start()
    got(s.ask('PUT', '/connectors/sink/config', sink(**{'errors.log.enable': 'true'})), 200)
    s.runs('sink')


def c09_a_worker_that_starts_before_the_registry():
    s = site()
    s.worker.stop()
    s.registry.stop()
    s.worker.start()
    until(lambda: 'asked again for' in s.worker.jvm.said(), 'the worker waits')
    s.registry.start()
    s.runs('sink')
    s.runs('source')
    say('in', 'line four')
    until(lambda: 'line four\n' in said('out2'), 'the line')


def c10_rights_of_the_registry():
    s = site()
    s.worker.stop()
    for role, who in (('ResourceOwner', 'own'), ('DeveloperRead', 'dr'),
                      ('ConnectManager', 'dw'), ('DeveloperManage', 'pre')):
        s.grant(role, principal=who, path='sink')
    with open(s.worker.file, 'a', encoding='utf-8') as f:
        # And by the alias that Connect makes: the rule has to know it, too.
        f.write('config.providers.secret.param.rbac=true\n'
                'config.providers.secret.class=SecretRegistry\n')
    s.worker.start()
    s.runs('sink', 'adm')
    for path in ('/connectors', '/connectors/sink', '/connectors/sink/status', '/admin/loggers'):
        answer = s.ask('GET', path)
        refused(answer, code=401)
        check(answer[2]['WWW-Authenticate'], f'WWW-Authenticate of {path}')
    same(got(s.ask('GET', '/connectors', who='adm'), 200), ['sink', 'source'], 'all')
    same(got(s.ask('GET', '/connectors', who='dr'), 200), ['sink'], 'those of a reader')
    same(list(got(s.ask('GET', '/connectors?expand=info', who='dr'), 200)), ['sink'], 'expanded')
    same(got(s.ask('GET', '/connectors', who='nob'), 200), [], 'those of nobody')
    for who, reads, changes in (('dr', 200, 403), ('dw', 200, 403), ('pre', 200, 403),
                                ('nob', 403, 403), ('own', 200, 202)):
        got(s.ask('GET', '/connectors/sink/config', who=who), reads)
        got(s.ask('PUT', '/connectors/sink/pause', who=who), changes)
        got(s.ask('PUT', '/connectors/sink/config', sink(), who=who), 200 if changes == 202 else 403)
        got(s.ask('PUT', '/connectors/source/config', sink('source'), who=who), 403)
        got(s.ask('DELETE', '/connectors/source', who=who), 403)
        got(s.ask('POST', '/connectors', {'name': 'mine', 'config': sink('mine', 'f')}, who=who), 403)
        got(s.ask('GET', '/admin/loggers', who=who), 403)
        got(s.ask('GET', '/connector-plugins', who=who), 200)
    refused(s.ask('PUT', '/connectors/sink/config', sink(file='${secret:other:k}'), who='own'),
            '${secret:other:k}')
    got(s.ask('PUT', '/connectors/sink/resume', who='own'), 202)
    got(s.ask('GET', '/admin/loggers', who='adm'), 200)
    got(s.ask('PUT', '/connectors/sink/pause', headers={'Authorization': 'Bearer wrong'}), 401)
    s.registry.stop()
    refused(s.ask('GET', '/connectors/sink', who='own'), code=503)
    s.registry.start()
    got(s.ask('DELETE', '/connectors/sink', who='own'), 204)


def c11_the_log_holds_no_value():
    s = site()
    # A connector prints its own configuration; the worker and our classes may print no value.
    for line in s.log().splitlines():
        head = line.split(' - ')[0]
        if 'propseal.connect.' in head or 'org.apache.kafka.connect.runtime' in head:
            check(MARKER not in line, 'no value', line)
    check(MARKER + '-other' not in s.log(), 'nor the foreign one anywhere')
    for token in s.registry.tokens.values():
        check(token not in s.log(), 'no token')


if __name__ == '__main__':
    run.main(globals(), limit=300)

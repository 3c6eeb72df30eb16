#!/usr/bin/env -S python3 -B
"""Authorization: the cases R of the registry's contract."""
import json
import os
import resource
import threading
import time
from urllib.parse import quote

from lib import program, run
from lib.check import check, empty, err, ok, same, secret, status
from lib.harness import MARKER
from lib.rest import P, V, key_url, path_url

BINDINGS = '/secret/admin/role-bindings'


def store(r):
    """What the cases of this section begin with."""
    adm = r.as_('adm')
    for path, key in (('conn-a', 'password'), ('team1-x', 'k'), ('other', 'k')):
        ok(adm.post(V(path, key), {'secret': f'{MARKER} {path}'}))


def denied(answer, operation, path):
    """403 in the product's words; tells nothing but the path asked for."""
    err(answer, 403)
    same(answer.json()['message'],
         f'User is denied operation {operation} on Connector: {path}', 'message')


def latest(r, name, path, key):
    return r.as_(name).get(V(path, key) + '/latest')


def r01_owner_reads(r):
    secret(latest(r, 'own', 'conn-a', 'password'), 'conn-a', 'password', 1, f'{MARKER} conn-a')


def r02_owner_writes(r):
    secret(r.as_('own').post(V('conn-a', 'new'), {'secret': 's'}), 'conn-a', 'new', 1, 's')


def r03_owner_does_not_read_elsewhere(r):
    denied(latest(r, 'own', 'other', 'k'), 'SecretRead', 'other')


def r04_denial_does_not_tell_what_exists(r):
    there, missing = latest(r, 'own', 'other', 'k'), latest(r, 'own', 'missing', 'k')
    err(missing, 403)
    same(missing.body, there.body.replace(b'other', b'missing'), 'body')
    same(sorted(n for n, _ in missing.headers), sorted(n for n, _ in there.headers), 'headers')
    for suffix in ('', '/keys', '/keys/k', '/keys/k/versions', '/keys/k/versions/1',
                   '/keys/k/versions/99', '/keys/k/metadata', '/metadata', '/keys/1bad',
                   '/keys/k/versions/abc', '/nothing'):
        for method in ('GET', 'DELETE'):
            a = r.as_('own').request(method, path_url('other') + suffix)
            b = r.as_('own').request(method, path_url('missing') + suffix)
            err(a, 403)
            same(b.body, a.body.replace(b'other', b'missing'), f'{method} {suffix}: body')


def r05_owner_lists_its_own_paths(r):
    ok(r.as_('own').get(P), ['conn-a'])


def r06_prefix_lists_its_own_paths(r):
    ok(r.as_('pre').get(P), ['team1-x'])


def r07_prefix_covers_paths_to_come(r):
    ok(r.as_('pre').get(V('team1-y', 'k')), [])
    secret(r.as_('pre').post(V('team1-y', 'k'), {'secret': 's'}), 'team1-y', 'k', 1, 's')
    ok(r.as_('pre').get(P), ['team1-x', 'team1-y'])


def r08_prefix_counts_byte_for_byte(r):
    for path in ('team10', 'Team1-x', 'team1', 'TEAM1-x', 'xteam1-', ' team1-x', 'team1\u2010x'):
        err(r.as_('pre').post(V(path, 'k'), {'secret': 's'}), 403)
        err(latest(r, 'pre', path, 'k'), 403)
    # The bytes of a name count, however they were escaped.
    secret(r.as_('pre').get(f'{P}/%74eam1%2Dx/keys/k/versions/1'), 'team1-x', 'k', 1,
           f'{MARKER} team1-x')


def r09_reader_does_not_see_values(r):
    denied(latest(r, 'dr', 'conn-a', 'password'), 'SecretRead', 'conn-a')
    for target in (V('conn-a', 'password') + '/1', key_url('conn-a', 'password'),
                   path_url('conn-a')):
        err(r.as_('dr').get(target), 403)
        empty(r.as_('dr').head(target), 403)


def r10_reader_lists_versions(r):
    ok(r.as_('dr').get(V('conn-a', 'password')), [1])
    ok(r.as_('dr').get(path_url('conn-a') + '/keys'), ['password'])
    ok(r.as_('dr').get(P), ['conn-a'])


def r11_writer_of_connectors_does_not_write_secrets(r):
    denied(r.as_('dw').post(V('conn-a', 'password'), {'secret': 's'}), 'SecretWrite', 'conn-a')
    denied(r.as_('dr').post(V('conn-a', 'password'), {'secret': 's'}), 'SecretWrite', 'conn-a')
    ok(r.as_('adm').get(V('conn-a', 'password')), [1])


def no_values(r, name, path='conn-a', key='password'):
    for target in (V(path, key) + '/latest', V(path, key) + '/1', key_url(path, key),
                   path_url(path)):
        answer = err(r.as_(name).get(target), 403)
        check(MARKER.encode() not in answer.body, 'no value')


def r12_operator_lists(r):
    no_values(r, 'op')
    ok(r.as_('op').get(path_url('conn-a') + '/keys'), ['password'])
    ok(r.as_('op').get(P), ['conn-a', 'other', 'team1-x'])
    err(r.as_('op').post(V('conn-a', 'k'), {'secret': 's'}), 403)
    err(r.as_('op').delete(V('conn-a', 'password') + '/1'), 403)


def r13_security_admin_sees_metadata(r):
    no_values(r, 'sec')
    answer = ok(r.as_('sec').get(key_url('conn-a', 'password') + '/metadata'))
    check(MARKER.encode() not in answer.body, 'no value')
    ok(r.as_('sec').get(path_url('conn-a') + '/metadata'))
    err(r.as_('sec').post(V('conn-a', 'k'), {'secret': 's'}), 403)


def r14_audit_admin_sees_the_audit_alone(r):
    no_values(r, 'aud')
    answer = r.as_('aud').get(P)
    check(answer.status == 403 or ok(answer).json() == [], '403 or []', answer.body)
    err(r.as_('aud').get(path_url('conn-a') + '/keys'), 403)
    status(r.as_('aud').post('/secret/admin/audit/verify', {}), 200)
    for name in ('ua', 'ca', 'op', 'own', 'pre', 'dr', 'dw', 'wrk', 'nob'):
        err(r.as_(name).post('/secret/admin/audit/verify', {}), 403)


def r15_user_admin_stores(r):
    secret(r.as_('ua').post(V('conn-b', 'password'), {'secret': 's'}), 'conn-b', 'password', 1, 's')


def r16_user_admin_does_not_read_unless_the_roles_say_so(r):
    no_values(r, 'ua')
    role = ok(r.as_('adm').get(ROLES)).json()['roles']['UserAdmin']
    role['operations'].append('SecretRead')
    status(r.as_('adm').put(ROLES + '/UserAdmin', role), 204)
    secret(latest(r, 'ua', 'conn-a', 'password'), 'conn-a', 'password', 1, f'{MARKER} conn-a')
    no_values(r, 'op')
    r.restart()
    secret(latest(r, 'ua', 'conn-a', 'password'), 'conn-a', 'password', 1, f'{MARKER} conn-a')


def r16b_by_the_file_of_roles(r):
    roles = json.loads(program.run('role', 'show', '--data', r.data, '--output', 'json').stdout)
    roles['roles']['UserAdmin']['operations'].append('SecretRead')
    with open(r.data + '/roles.json', 'w') as f:
        json.dump(roles, f)
    r.restart()
    secret(latest(r, 'ua', 'conn-a', 'password'), 'conn-a', 'password', 1, f'{MARKER} conn-a')
    no_values(r, 'op')


def r17_user_admin_deletes(r):
    ok(r.as_('ua').delete(V('conn-a', 'password') + '/1'), 1)
    err(r.as_('ua').delete(V('conn-a', 'password') + '/1?destroy=true'), 403)


def r18_without_binding_there_is_nothing_to_list(r):
    ok(r.as_('nob').get(P), [])
    ok(r.as_('nob').get('/secret/search'), [])


def r19_without_binding_every_path_is_denied(r):
    no_values(r, 'nob')
    for path in ('conn-a', 'missing'):
        for suffix in ('', '/keys', '/keys/k/versions', '/keys/k/metadata'):
            err(r.as_('nob').get(path_url(path) + suffix), 403)
        err(r.as_('nob').post(V(path, 'k'), {'secret': 's'}), 403)
        err(r.as_('nob').delete(path_url(path)), 403)
        err(r.as_('nob').post(f'/secret/connectors/{path}/validate', {'name': path}), 403)


def r20_removed_binding_counts_at_once(r):
    adm, binding = r.as_('adm'), {'role': 'ResourceOwner', 'principal': 'own', 'path': 'conn-a'}
    for _ in range(3):
        ok(latest(r, 'own', 'conn-a', 'password'))
        empty(adm.request('DELETE', BINDINGS, binding), 204)
        err(latest(r, 'own', 'conn-a', 'password'), 403)
        ok(r.as_('own').get(P), [])
        empty(adm.put(BINDINGS, binding), 204)


def r20b_removed_by_a_command(r):
    ok(latest(r, 'own', 'conn-a', 'password'))
    program.role('revoke', r.data, 'ResourceOwner', 'own', path='conn-a')
    time.sleep(0.1)
    err(latest(r, 'own', 'conn-a', 'password'), 403)
    ok(r.as_('own').get(P), [])
    program.role('grant', r.data, 'ResourceOwner', 'own', path='conn-a')
    time.sleep(0.1)
    ok(latest(r, 'own', 'conn-a', 'password'))
    # A binding to another path or prefix of that name is another one.
    done = program.role('revoke', r.data, 'ResourceOwner', 'own', prefix='conn-a', code=None)
    check(done.returncode != 0, 'revoking what is not there fails', done.returncode)
    ok(latest(r, 'own', 'conn-a', 'password'))


def r21_listing_of_a_path_shows_values(r):
    ok(r.as_('own').get(path_url('conn-a')), [
        {'path': 'conn-a', 'key': 'password', 'version': 1, 'secret': f'{MARKER} conn-a'}])
    err(r.as_('dr').get(path_url('conn-a')), 403)


def r22_owner_does_not_delete_elsewhere(r):
    denied(r.as_('own').delete(path_url('other')), 'SecretDelete', 'other')
    err(r.as_('own').delete(key_url('other', 'k')), 403)
    err(r.as_('own').delete(V('other', 'k') + '/1'), 403)
    err(r.as_('own').delete(V('other', 'k') + '/1?destroy=true'), 403)
    ok(r.as_('adm').get(V('other', 'k')), [1])


CONFIG = {'name': 'conn-a', 'x': '${secret:conn-a:password}'}


def r23_owner_does_not_resolve_elsewhere(r):
    err(r.as_('own').post('/secret/connectors/other/resolve',
                          {'name': 'other', 'x': '${secret:other:k}'}), 403)
    err(r.as_('own').post('/secret/connectors/other/validate',
                          {'name': 'other', 'x': '${secret:other:k}'}), 403)
    answer = r.as_('own').post('/secret/connectors/conn-a/resolve',
                               {'name': 'conn-a', 'x': '${secret:other:k}'})
    err(answer, 400, 403)
    check(MARKER.encode() not in answer.body, 'no value')


def r24_worker_reads_by_resolving_alone(r):
    ok(r.as_('wrk').post('/secret/connectors/conn-a/resolve', CONFIG),
       {'name': 'conn-a', 'x': f'{MARKER} conn-a'})
    denied(latest(r, 'wrk', 'conn-a', 'password'), 'SecretRead', 'conn-a')
    no_values(r, 'wrk')
    err(r.as_('dr').post('/secret/connectors/conn-a/resolve', CONFIG), 403)


def r25_owner_does_not_administer(r):
    own = r.as_('own')
    err(own.post('/secret/admin/rotation', {}), 403)
    err(own.get('/secret/admin/rotation'), 403)
    err(own.post('/secret/admin/audit/verify', {}), 403)
    err(own.post('/secret/admin/audit-hash', {'input': 'x'}), 403)
    answer = own.get(BINDINGS)
    if answer.status == 200:
        for name in (b'"dr"', b'"pre"', b'"adm"', b'team1-'):
            check(name not in answer.body or name == b'"dr"', 'no bindings of others',
                  answer.body)
    else:
        err(answer, 403)
    err(own.put(BINDINGS, {'role': 'ResourceOwner', 'principal': 'own', 'path': 'other'}), 403)
    err(own.put(BINDINGS, {'role': 'SystemAdmin', 'principal': 'own'}), 403)
    err(own.delete(f'{BINDINGS}?role=SystemAdmin&principal=adm'), 403)
    err(own.post('/security/1.0/principals/User:own/roles/SystemAdmin', {}), 403)
    ok(r.as_('adm').get(P), ['conn-a', 'other', 'team1-x'])
    err(latest(r, 'own', 'other', 'k'), 403)


def r26_owner_does_not_grant_itself_everything(r):
    own = r.as_('own')
    for where in ({'prefix': ''}, {'prefix': 'c'}, {'prefix': 'conn-'}, {'path': ''}, {}):
        err(own.put(BINDINGS, {'role': 'ResourceOwner', 'principal': 'own', **where}), 403)
    for name, kind in (('', 'PREFIXED'), ('*', 'LITERAL'), ('c', 'PREFIXED')):
        err(own.post('/security/1.0/principals/User:own/roles/ResourceOwner/bindings', {
            'scope': {'clusters': {}}, 'resourcePatterns': [
                {'resourceType': 'Connector', 'name': name, 'patternType': kind}]}), 403)
    err(latest(r, 'own', 'other', 'k'), 403)
    ok(own.get(P), ['conn-a'])


def r27_bindings_over_the_interface(r):
    adm = r.as_('adm')
    binding = {'role': 'ResourceOwner', 'principal': 'nob', 'path': 'other'}
    empty(adm.put(BINDINGS, binding), 204)
    secret(latest(r, 'nob', 'other', 'k'), 'other', 'k', 1, f'{MARKER} other')
    err(latest(r, 'nob', 'conn-a', 'password'), 403)
    listed = ok(adm.get(BINDINGS)).json()
    check(any(b.get('principal') in ('nob', 'User:nob') and b.get('path') == 'other'
              for b in listed), 'the binding among those listed', listed)
    empty(adm.delete(f'{BINDINGS}?role=ResourceOwner&principal=nob&path=other'), 204)
    err(latest(r, 'nob', 'other', 'k'), 403)
    err(adm.delete(f'{BINDINGS}?role=ResourceOwner&principal=nob&path=other'), 404)
    # An owner shares its own path, and that alone.
    empty(r.as_('own').put(BINDINGS, {'role': 'DeveloperRead', 'principal': 'nob',
                                      'path': 'conn-a'}), 204)
    ok(r.as_('nob').get(P), ['conn-a'])
    for bad in ({'role': 'NoSuchRole', 'principal': 'nob', 'path': 'a'},
                {'role': 'SystemAdmin', 'principal': 'nob', 'path': 'a'},
                {'role': 'ResourceOwner', 'principal': 'nob'},
                {'role': 'ResourceOwner', 'principal': 'nob', 'prefix': ''},
                {'role': 'ResourceOwner', 'principal': '', 'path': 'a'},
                {'principal': 'nob', 'path': 'a'}, {}, []):
        err(adm.put(BINDINGS, bad), 422)


def r28_bindings_in_the_shape_of_the_metadata_service(r):
    adm = r.as_('adm')
    scope = {'clusters': {'kafka-cluster': 'x', 'connect-cluster': 'y'}}
    base = f'/security/1.0/principals/{quote("User:nob", safe="")}/roles'
    empty(adm.post(f'{base}/ResourceOwner/bindings', {'scope': scope, 'resourcePatterns': [
        {'resourceType': 'Connector', 'name': 'other', 'patternType': 'LITERAL'},
        {'resourceType': 'Connector', 'name': 'team1-', 'patternType': 'PREFIXED'}]}), 204)
    ok(r.as_('nob').get(P), ['other', 'team1-x'])
    empty(adm.post(f'{base}/SystemAdmin', scope), 204)
    ok(r.as_('nob').get(P), ['conn-a', 'other', 'team1-x'])


def r29_restart_keeps_bindings(r):
    empty(r.as_('adm').put(BINDINGS, {'role': 'DeveloperRead', 'principal': 'nob',
                                      'prefix': 'oth'}), 204)
    r.restart()
    ok(r.as_('nob').get(P), ['other'])
    ok(r.as_('own').get(P), ['conn-a'])


def r30_invitation_to_path_tricks(r):
    """Rights are decided on the same bytes that routing uses."""
    own = r.as_('own')
    for target in (f'{P}/conn-a%2Fkeys%2Fpassword', f'{P}/conn-a/../other', f'{P}/conn-a%00',
                   f'{P}/conn-a;x=1/keys', f'{P}/conn-a%3Fx/keys/password/versions',
                   f'{P}/conn-a%20/keys', f'{P}/CONN-A/keys', f'{P}/other?path=conn-a',
                   f'{P}/other#/conn-a', f'{P}/conn-a%2e%2e/keys'):
        answer = own.get(target)
        err(answer, 400, 403, 422)
        check(MARKER.encode() not in answer.body, 'no value')


def r31_limit_of_versions_needs_the_right_to_destroy(r):
    """A limit destroys what is beyond it: who may not destroy does not set it."""
    nob, adm = r.as_('nob'), r.as_('adm')
    empty(adm.put(BINDINGS, {'role': 'DeveloperManage', 'principal': 'nob', 'path': 'conn-a'}), 204)
    ok(nob.post(V('conn-a', 'password'), {'secret': 'two'}))
    target = key_url('conn-a', 'password') + '/metadata'
    err(nob.request('PATCH', target, {'max_versions': 1}), 403)
    ok(nob.request('PATCH', target, {'cas_required': False}))
    ok(adm.get(V('conn-a', 'password')), [1, 2])
    ok(adm.request('PATCH', target, {'max_versions': 5}))


def r32_user_admin_does_not_give_itself_the_reading(r):
    ua = r.as_('ua')
    for binding in ({'role': 'SystemAdmin', 'principal': 'ua'},
                    {'role': 'ResourceOwner', 'principal': 'User:ua', 'path': 'other'},
                    {'role': 'ResourceOwner', 'principal': 'ua', 'prefix': 'team1-'}):
        err(ua.put(BINDINGS, binding), 403)
    # Nor by a name that would be its own after it was looked at.
    for name in ('User:User:ua', 'User:User:User:ua', 'ua ', 'ua\u200b'):
        err(ua.put(BINDINGS, {'role': 'SystemAdmin', 'principal': name}), 422)
        err(ua.post('/security/1.0/principals/' + quote(name) + '/roles/SystemAdmin'), 422)
    err(latest(r, 'ua', 'other', 'k'), 403)
    err(latest(r, 'nob', 'other', 'k'), 403)


def r32b_nobody_gives_what_it_has_not(r):
    """Neither itself nor others, over no interface, and by no other's login."""
    adm, ua, own = r.as_('adm'), r.as_('ua'), r.as_('own')
    for who, binding in ((ua, {'role': 'ResourceOwner', 'path': 'other'}),
                         (ua, {'role': 'SystemAdmin'}), (ua, {'role': 'ConnectWorker'}),
                         (ua, {'role': 'ConnectManager', 'prefix': 'o'})):
        err(who.put(BINDINGS, {**binding, 'principal': 'nob'}), 403)
    err(ua.post('/security/1.0/principals/User:nob/roles/ResourceOwner/bindings', {
        'scope': {'clusters': {}}, 'resourcePatterns': [
            {'resourceType': 'Connector', 'name': 'other', 'patternType': 'LITERAL'}]}), 403)
    err(latest(r, 'nob', 'other', 'k'), 403)
    # What it has it gives; and who has everything, everything.
    for who, binding in ((ua, {'role': 'DeveloperManage', 'path': 'other'}),
                         (ua, {'role': 'Operator'}), (ua, {'role': 'UserAdmin'}),
                         (own, {'role': 'ResourceOwner', 'path': 'conn-a'}),
                         (own, {'role': 'ConnectWorker', 'path': 'conn-a'}),
                         (adm, {'role': 'SystemAdmin'})):
        empty(who.put(BINDINGS, {**binding, 'principal': 'nob'}), 204)
        empty(who.request('DELETE', BINDINGS, {**binding, 'principal': 'nob'}), 204)
    # A role of one's own making that reads and hands out roles.
    status(adm.put(ROLES + '/Helper', {'scope': ['cluster', 'path'], 'operations': [
        'SecretList', 'SecretRead', 'AlterAccess']}), 204)
    status(adm.put(BINDINGS, {'role': 'Helper', 'principal': 'nob'}), 204)
    nob = r.as_('nob')
    for principal in ('nob', 'dr'):
        for binding in ({'role': 'SystemAdmin'}, {'role': 'ClusterAdmin'}, {'role': 'AuditAdmin'},
                        {'role': 'ResourceOwner', 'path': 'other'}):
            err(nob.put(BINDINGS, {**binding, 'principal': principal}), 403)
        empty(nob.put(BINDINGS, {'role': 'Helper', 'principal': principal, 'path': 'other'}), 204)
    for name in ('adm', 'own', 'aud', 'ca'):
        err(nob.post('/secret/admin/tokens', {'principal': name}), 403)
        err(nob.patch('/secret/admin/users/' + name, {'password': 'taken over'}), 403)
    status(nob.post('/secret/admin/tokens', {'principal': 'somebody'}), 201)
    err(nob.post('/secret/admin/rotation', {}), 403)


def r33_damaged_bindings_are_told(r):
    file = os.path.join(r.data, 'bindings.json')
    with open(file, encoding='utf-8') as f:
        before = f.read()
    with open(file, 'w', encoding='utf-8') as f:
        f.write('{"oops"')
    time.sleep(0.1)
    err(r.as_(None).get('/health/ready'), 503)
    ok(latest(r, 'own', 'conn-a', 'password'))
    with open(file, 'w', encoding='utf-8') as f:
        f.write(before)
    time.sleep(0.1)
    ok(r.as_(None).get('/health/ready'))


def r33b_files_that_others_may_write_are_refused(r):
    r.stop()
    for name in ('bindings.json', 'tokens.json', 'users.json'):
        file = os.path.join(r.data, name)
        for mode in (0o666, 0o620, 0o602):
            # A group of the user's own number has nobody else in it.
            if mode == 0o620 and 0 != os.getuid() == os.getgid():
                continue
            os.chmod(file, mode)
            said = r.refuses_to_start()
            check(name in said and 'chmod' in said, 'the file and a way out', said)
        os.chmod(file, 0o600)
    r.start()
    # Of a running one it is told, and what was read before stays in force.
    os.chmod(os.path.join(r.data, 'bindings.json'), 0o666)
    time.sleep(0.1)
    err(r.as_(None).get('/health/ready'), 503)
    ok(latest(r, 'own', 'conn-a', 'password'))
    os.chmod(os.path.join(r.data, 'bindings.json'), 0o600)
    time.sleep(0.1)
    ok(r.as_(None).get('/health/ready'))


def r34_destroying_is_asked_for_clearly(r):
    adm = r.as_('adm')
    for odd in ('True', 'yes', '', '2'):
        err(adm.delete(f"{V('other', 'k')}/1?destroy={odd}"), 422)
    ok(adm.get(V('other', 'k')), [1])


def patterns(*names):
    """The body that binds a role to each of these; a name that ends in - is a prefix."""
    return {'scope': {'clusters': {}}, 'resourcePatterns': [
        {'resourceType': 'Connector', 'name': name,
         'patternType': 'PREFIXED' if name.endswith('-') else 'LITERAL'} for name in names]}


def roles_of(principal, role='ResourceOwner'):
    return f'/security/1.0/principals/{quote("User:" + principal, safe="")}/roles/{role}/bindings'


def bound(r, principal):
    """The paths and prefixes that the principal is bound to."""
    return sorted(b.get('path', b.get('prefix')) for b in ok(r.new('adm').get(BINDINGS)).json()
                  if b['principal'] == principal)


def r35_several_patterns_are_granted_all_or_none(r):
    adm = r.as_('adm')
    for bad in ('no:name', '*', 'x' * 250, '..'):
        for names in (('other', bad, 'team1-'), ('other', 'team1-', bad)):
            err(adm.post(roles_of('nob'), patterns(*names)), 422)
            same(bound(r, 'nob'), [], f'bound after {bad[:9]}')
    err(adm.post(roles_of('nob', 'Operator'), patterns('other', 'conn-a')), 422)
    ok(r.as_('nob').get(P), [])
    # What stands twice is bound once; what is there already stays.
    for _ in range(2):
        empty(adm.post(roles_of('nob'), patterns('other', 'team1-', 'other')), 204)
        same(bound(r, 'nob'), ['other', 'team1-'], 'bound')
    err(adm.delete(roles_of('nob'), patterns('other', 'conn-a', 'team1-')), 404)
    same(bound(r, 'nob'), ['other', 'team1-'], 'bound after a refusal')
    ok(r.as_('nob').get(P), ['other', 'team1-x'])
    empty(adm.delete(roles_of('nob'), patterns('team1-', 'other', 'team1-')), 204)
    same(bound(r, 'nob'), [], 'bound')


def r35b_no_pattern_is_granted_when_the_file_ends_half_way(r):
    """Room for some of the bindings, but not for all: none of them is granted."""
    file = os.path.join(r.data, 'bindings.json')
    with open(file, encoding='utf-8') as f:
        content = json.load(f)
    # Larger than whatever else the server writes here.
    content['description'] = 'x' * (4 << 20)
    with open(file, 'w', encoding='utf-8') as f:
        json.dump(content, f, indent=2)
    adm = r.as_('adm')
    empty(adm.post(roles_of('nob'), patterns('first')), 204)
    one = os.path.getsize(file)
    empty(adm.post(roles_of('nob'), patterns('other')), 204)
    one = os.path.getsize(file) - one
    empty(adm.delete(roles_of('nob'), patterns('other', 'first')), 204)
    before = resource.prlimit(r.pid(), resource.RLIMIT_FSIZE)
    resource.prlimit(r.pid(), resource.RLIMIT_FSIZE,
                     (os.path.getsize(file) + 2 * one + one // 2, before[1]))
    err(adm.post(roles_of('nob'), patterns('other', 'conn-a', 'team1-', 'more')), 500, 503, 507)
    same(bound(r, 'nob'), [], 'bound')
    ok(r.as_('nob').get(P), [])
    resource.prlimit(r.pid(), resource.RLIMIT_FSIZE, before)
    empty(adm.post(roles_of('nob'), patterns('other', 'conn-a', 'team1-', 'more')), 204)
    same(bound(r, 'nob'), ['conn-a', 'more', 'other', 'team1-'], 'bound')


def r36_many_patterns_while_others_grant(r):
    """Everybody's bindings are there at the end, and never a part of a call's."""
    names, rounds, over, wrong = [f'conn-{i:02}' for i in range(64)], 6, threading.Event(), []

    def guarded(work, *args):
        try:
            work(*args)
        except Exception as e:
            wrong.append(f'{type(e).__name__}: {e}')

    def grant(i):
        client = r.new('adm')
        for n in range(rounds):
            empty(client.post(roles_of(f'many-{i}'), patterns(*names)), 204)
            if n < rounds - 1:
                empty(client.delete(roles_of(f'many-{i}'), patterns(*names)), 204)

    def by_command(i):
        for n in range(rounds):
            program.role('grant', r.data, 'DeveloperRead', f'single-{i}', path=f'conn-{n}')

    def look():
        while not over.is_set():
            for i in range(3):
                seen = len(bound(r, f'many-{i}'))
                check(seen in (0, len(names)), 'all of them or none', seen)

    workers = [threading.Thread(target=guarded, args=(f, i))
               for f, n in ((grant, 3), (by_command, 2)) for i in range(n)]
    looking = threading.Thread(target=guarded, args=(look,))
    looking.start()
    for t in workers:
        t.start()
    for t in workers:
        t.join()
    over.set()
    looking.join()
    same(wrong, [], 'what went wrong')
    for i in range(3):
        same(bound(r, f'many-{i}'), names, f'bindings of many-{i}')
    for i in range(2):
        same(bound(r, f'single-{i}'), [f'conn-{n}' for n in range(rounds)], f'of single-{i}')


def r37_what_the_caller_may_do(r):
    def access(who, path):
        return ok(r.as_(who).get(f'/secret/connectors/{quote(path, safe="")}/access')).json()
    looking, owns = ['SecretList', 'SecretMetadata'], ['SecretList', 'SecretRead', 'SecretResolve',
        'SecretWrite', 'SecretDelete', 'SecretDestroy', 'SecretMetadata', 'AlterAccess']
    same(access('own', 'conn-a'), {'principal': 'own', 'path': 'conn-a', 'operations': owns,
                                   'cluster': []}, 'an owner on its path')
    for who, path, operations in (('own', 'other', []), ('pre', 'team1-new', owns),
                                  ('dr', 'conn-a', looking), ('nob', 'conn-a', []),
                                  ('nob', 'no-such-path', [])):
        same(access(who, path)['operations'], operations, f'{who} on {path}')
    everything = access('adm', 'other')
    same(everything['operations'], everything['cluster'], 'an administrator on any path')
    same(len(everything['cluster']), 10, 'operations of an administrator')
    err(r.as_(None).get('/secret/connectors/conn-a/access'), 401)
    err(r.as_('adm').get('/secret/connectors/a%3Ab/access'), 422)


ROLES = '/secret/admin/roles'


def r38_roles_over_the_interface(r):
    adm, ua = r.as_('adm'), r.as_('ua')
    roles = ok(adm.get(ROLES)).json()['roles']
    same(len(roles), 12, 'the built-in ones')
    err(latest(r, 'dr', 'conn-a', 'password'), 403)
    status(adm.put(ROLES + '/DeveloperRead', {'scope': ['path'], 'operations': [
        'SecretList', 'SecretRead'], 'description': 'as the name says'}), 204)
    secret(latest(r, 'dr', 'conn-a', 'password'), 'conn-a', 'password', 1, f'{MARKER} conn-a')
    same(ok(adm.get(ROLES)).json()['roles']['DeveloperRead'],
         {'scope': ['path'], 'operations': ['SecretList', 'SecretRead']}, 'as it is now')
    same(len(ok(adm.get(ROLES)).json()['roles']), 12, 'and the others')
    status(adm.put(ROLES + '/Reader', {'scope': ['cluster'], 'operations': ['SecretRead']}), 204)
    status(adm.put(BINDINGS, {'role': 'Reader', 'principal': 'nob'}), 204)
    secret(latest(r, 'nob', 'conn-a', 'password'), 'conn-a', 'password', 1, f'{MARKER} conn-a')
    r.restart()
    adm, ua = r.as_('adm'), r.as_('ua')
    secret(latest(r, 'nob', 'conn-a', 'password'), 'conn-a', 'password', 1, f'{MARKER} conn-a')
    status(adm.delete(ROLES + '/Reader'), 204)
    err(latest(r, 'nob', 'conn-a', 'password'), 403)
    err(adm.delete(ROLES + '/Reader'), 404)
    for bad in ({}, {'scope': [], 'operations': []}, {'scope': ['cluster']},
                {'scope': ['path'], 'operations': ['AuditRead']},
                {'scope': ['path'], 'operations': ['secretread']},
                {'scope': ['path'], 'operations': [], 'more': 1}):
        err(adm.put(ROLES + '/Reader', bad), 422)
    for bad in ('9', 'a%20b', 'x' * 64):
        err(adm.put(f'{ROLES}/{bad}', {'scope': ['path'], 'operations': []}), 422)
    # What could not be read again is not written.
    for bad in ({'description': 'a\0b'}, {'operations': ['SecretList\0']}, {'scope': ['path\0']},
                {'description': 'x' * 5000}, {'operations': ['SecretList'] * 1000}):
        err(adm.put(ROLES + '/Reader', {'scope': ['path'], 'operations': [], **bad}), 422)
    same(len(ok(adm.get(ROLES)).json()['roles']), 12, 'the same ones')
    # Who hands out rights makes no role of what it may not do itself.
    allowed = {'scope': ['cluster'], 'operations': ['SecretList', 'AlterAccess']}
    for op in ('SecretRead', 'SecretResolve', 'AuditRead', 'RotateKey', 'SecretDestroy'):
        err(ua.put(ROLES + '/Mine', {'scope': ['cluster'], 'operations': [op]}), 403)
        err(ua.put(ROLES + '/UserAdmin', {**allowed, 'operations': ['AlterAccess', op]}), 403)
    # ... and changes none that allows it, which it could not give back.
    for name in ('SystemAdmin', 'ResourceOwner', 'ConnectWorker', 'AuditAdmin'):
        err(ua.put(f'{ROLES}/{name}', allowed), 403)
        err(ua.delete(f'{ROLES}/{name}'), 403)
    status(ua.delete(ROLES + '/Operator'), 204)
    status(ua.put(ROLES + '/Mine', allowed), 204)
    for who in ('own', 'aud', 'op', 'nob'):
        for answer in (r.as_(who).get(ROLES), r.as_(who).put(ROLES + '/Mine', allowed),
                       r.as_(who).delete(ROLES + '/Mine')):
            err(answer, 403)
    # The last role that hands out roles stays so.
    status(adm.delete(ROLES + '/UserAdmin'), 204)
    err(adm.delete(ROLES + '/SystemAdmin'), 409)
    err(adm.put(ROLES + '/SystemAdmin', {'scope': ['cluster'], 'operations': ['SecretRead']}), 409)
    err(adm.put(ROLES + '/SystemAdmin', {'scope': ['path'], 'operations': ['AlterAccess']}), 409)
    status(adm.put(ROLES + '/SystemAdmin', {'scope': ['cluster'], 'operations': [
        'SecretList', 'AlterAccess']}), 204)
    err(latest(r, 'adm', 'conn-a', 'password'), 403)


def r38b_roles_are_never_more_than_can_be_read(r):
    """The file may have a mebibyte: 6 000 bytes of that are left."""
    file = os.path.join(r.data, 'roles.json')
    adm = r.as_('adm')
    role = {'scope': ['path'], 'operations': ['SecretList'], 'description': '\u202e' * 1300}
    status(adm.put(ROLES + '/First', {**role, 'description': 'x'}), 204)
    with open(file, encoding='utf-8') as f:
        text = f.read()
    check(text.count('"x"') == 1, 'a description', text)
    r.stop()
    with open(file, 'w', encoding='utf-8') as f:
        f.write(text.replace('"x"', '"' + 'x' * (1048576 - 6000 - len(text)) + '"'))
    r.start()
    adm = r.as_('adm')
    err(adm.put(ROLES + '/Second', role), 422)  # 7 800 bytes there
    status(adm.get('/health/ready'), 200)
    status(adm.put(ROLES + '/Second', {**role, 'description': 'x'}), 204)
    r.restart()
    same(len(ok(r.as_('adm').get(ROLES)).json()['roles']), 14, 'roles')


def r38c_a_role_for_paths_makes_no_administrator(r):
    """Not though it is bound to the whole registry since before."""
    adm = r.as_('adm')
    role = {'scope': ['cluster'], 'operations': ['AlterAccess']}
    status(adm.put(ROLES + '/Other', role), 204)
    status(adm.put(BINDINGS, {'role': 'Other', 'principal': 'nob'}), 204)
    status(adm.put(ROLES + '/Other', {**role, 'scope': ['path']}), 204)
    err(r.as_('nob').get(ROLES), 403)
    status(adm.delete(ROLES + '/UserAdmin'), 204)
    err(adm.delete(ROLES + '/SystemAdmin'), 409)
    err(adm.delete(BINDINGS + '?role=SystemAdmin&principal=adm'), 409)
    ok(adm.get(ROLES))


if __name__ == '__main__':
    run.main(globals(), fresh=True, setup=store)

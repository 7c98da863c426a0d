import django.db.models.deletion
import django.db.models.functions.datetime
import mobileid.models.applications
import reuseid.models.sealed
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('reuseid', '0001_initial'),
        ('reuseid', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Operation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('type', models.CharField(choices=[('registration', 'Registration'), ('authentication', 'Authentication'), ('signature', 'Signature')], max_length=16)),
                ('status', models.CharField(choices=[('PENDING', 'Waiting for the phone'), ('IN_PROGRESS', 'On the phone'), ('COMPLETED', 'Completed'), ('REJECTED', 'Rejected'), ('FAILED', 'Failed'), ('CANCELED', 'Cancelled'), ('EXPIRED', 'Expired')], default='PENDING', max_length=16)),
                ('failure_reason', models.CharField(blank=True, max_length=32)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('expires_at', models.DateTimeField()),
                ('client_reference', models.CharField(blank=True, max_length=128)),
                ('title', reuseid.models.sealed.SealedField(null=True)),
                ('mime_type', models.CharField(blank=True, max_length=32)),
                ('content', reuseid.models.sealed.SealedField(null=True)),
                ('content_hash', models.CharField(blank=True, max_length=43)),
                ('transaction', reuseid.models.sealed.SealedField(help_text='JSON, for an authorisation (PSD2 dynamic linking).', null=True)),
                ('post_context', reuseid.models.sealed.SealedField(help_text='JSON, given to the phone after success.', null=True)),
                ('push_notification', reuseid.models.sealed.SealedField(help_text='JSON.', null=True)),
                ('requested_attributes', models.JSONField(blank=True, default=list)),
                ('auth_level', models.CharField(blank=True, choices=[('ONE_FACTOR', 'One factor'), ('TWO_FACTOR', 'Two factors')], max_length=16)),
                ('auth_methods', models.JSONField(blank=True, default=list)),
                ('auth_method', models.CharField(blank=True, help_text='The method that was used.', max_length=24)),
                ('broadcast', models.BooleanField(default=False)),
                ('allow_parallel', models.BooleanField(default=False)),
                ('binding', models.CharField(choices=[('NONE', 'None'), ('NUMBER', 'Number matching'), ('QR', 'QR code'), ('SAME_DEVICE', 'Same device')], default='NONE', max_length=16)),
                ('binding_secret', reuseid.models.sealed.SealedField(help_text='The number (digits) or the QR secret (32 bytes).', null=True)),
                ('code_index', models.CharField(help_text='Keyed hash of the activation code or of the claim; single use.', max_length=64, null=True, unique=True)),
                ('return_url', models.URLField(blank=True, max_length=500)),
                ('return_hash', models.CharField(blank=True, max_length=43)),
                ('released_at', models.DateTimeField(blank=True, null=True)),
                ('confirmation', models.CharField(choices=[('NONE', 'None'), ('INTEGRATOR', 'By the integrator')], default='NONE', max_length=16)),
                ('confirmation_code', reuseid.models.sealed.SealedField(null=True)),
                ('confirmation_attempts', models.PositiveSmallIntegerField(default=0)),
                ('device_name', models.CharField(blank=True, max_length=64)),
                ('signature', reuseid.models.sealed.SealedField(help_text='The consent JWT of a completed signature.', null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='operations', to='reuseid.account')),
            ],
            options={
                'permissions': [('cancel_operation', 'Can cancel an open operation'), ('start_registration', 'Can start the registration of a phone'), ('try_operation', 'Can try operations out with test users')],
                'indexes': [models.Index(condition=models.Q(('status__in', ['PENDING', 'IN_PROGRESS'])), fields=['expires_at'], name='operation_overdue'), models.Index(fields=['account', 'created_at', 'id'], name='operation_page'), models.Index(fields=['created_at', 'id'], name='operation_recent'), models.Index(fields=['account', 'status', 'created_at'], name='operation_by_status'), models.Index(fields=['account', 'type', 'created_at'], name='operation_by_type'), models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['ended_at'], name='operation_ended_at'), models.Index(condition=models.Q(('client_reference', ''), _negated=True), fields=['account', 'client_reference'], name='operation_by_reference')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['PENDING', 'IN_PROGRESS', 'COMPLETED', 'REJECTED', 'FAILED', 'CANCELED', 'EXPIRED'])), name='operation_status'), models.CheckConstraint(condition=models.Q(('type__in', ['registration', 'authentication', 'signature'])), name='operation_type'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('status__in', ['PENDING', 'IN_PROGRESS'])), models.Q(models.Q(('status__in', ['PENDING', 'IN_PROGRESS']), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='operation_ended')],
            },
        ),
        migrations.CreateModel(
            name='Application',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('server', models.URLField(help_text='The address that the phones call; also the issuer of the key document.')),
                ('auth_methods', models.JSONField(default=mobileid.models.applications.all_methods, help_text='The methods that this app may use.')),
                ('min_suite', models.PositiveSmallIntegerField(default=1, help_text='1: X25519, 2: X-Wing (post-quantum).')),
                ('min_sdk_version', models.CharField(blank=True, help_text='Older SDKs are refused (426).', max_length=32)),
                ('pin_min_length', models.PositiveSmallIntegerField(default=4)),
                ('pin_max_length', models.PositiveSmallIntegerField(default=12)),
                ('pin_type', models.CharField(choices=[('numeric', 'Digits'), ('alphanumeric', 'Letters and digits')], default='numeric', max_length=16)),
                ('brand_name', models.CharField(blank=True, help_text='The name that people see.', max_length=60)),
                ('brand_logo_uri', models.URLField(blank=True, help_text='HTTPS address of a logo.', max_length=500)),
                ('brand_colour', models.CharField(blank=True, help_text='Of the header and buttons, as in #1d4ed8.', max_length=7)),
                ('brand_text_colour', models.CharField(blank=True, help_text='Of the text upon it, as in #ffffff.', max_length=7)),
                ('support_phone', models.CharField(blank=True, help_text='Whom people call when it does not work.', max_length=40)),
                ('support_email', models.EmailField(blank=True, help_text='Where people write to.', max_length=120)),
                ('support_url', models.URLField(blank=True, help_text='HTTPS address of a help page.', max_length=500)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='applications', to='reuseid.account')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'name'), name='application_name'), models.CheckConstraint(condition=models.Q(('min_suite__in', [1, 2])), name='application_min_suite'), models.CheckConstraint(condition=models.Q(('pin_max_length__gte', models.F('pin_min_length')), ('pin_max_length__lte', 64), ('pin_min_length__gte', 4)), name='application_pin_length')],
            },
        ),
        migrations.CreateModel(
            name='ChannelKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, help_text='The kid.', primary_key=True, serialize=False)),
                ('suite', models.PositiveSmallIntegerField()),
                ('private_key', reuseid.models.sealed.SealedField()),
                ('public_key', models.BinaryField()),
                ('not_before', models.DateTimeField()),
                ('not_after', models.DateTimeField()),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='channel_keys', to='reuseid.account')),
            ],
            options={
                'indexes': [models.Index(fields=['not_after'], name='channel_key_erase')],
                'constraints': [models.CheckConstraint(condition=models.Q(('suite__in', [1, 2])), name='channel_key_suite'), models.UniqueConstraint(fields=('account', 'suite', 'not_before'), name='channel_key_one_each')],
            },
        ),
        migrations.CreateModel(
            name='Device',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('PENDING', 'Waiting for confirmation'), ('ACTIVE', 'Active'), ('LOCKED', 'Locked'), ('DEACTIVATED', 'Deactivated')], default='ACTIVE', max_length=16)),
                ('status_since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('lock_reason', models.CharField(blank=True, max_length=32)),
                ('locked_until', models.DateTimeField(blank=True, help_text='Empty while locked: until support unlocks.', null=True)),
                ('name', models.CharField(max_length=64)),
                ('platform', models.CharField(blank=True, max_length=32)),
                ('os_version', models.CharField(blank=True, max_length=32)),
                ('model', models.CharField(blank=True, max_length=64)),
                ('sdk_version', models.CharField(blank=True, max_length=32)),
                ('app_version', models.CharField(blank=True, max_length=32)),
                ('possession_jwk', models.JSONField(help_text='Public key, P-256.')),
                ('possession_thumbprint', models.CharField(help_text='RFC 7638.', max_length=43)),
                ('inherence_jwk', models.JSONField(blank=True, null=True)),
                ('knowledge_key', reuseid.models.sealed.SealedField(help_text='Ed25519 public key; an offline PIN test, so sealed.', null=True)),
                ('key_version', models.PositiveIntegerField(default=1)),
                ('previous_knowledge_key', reuseid.models.sealed.SealedField(help_text="After a PIN change it counts too, until the new one's first good use or its own end.", null=True)),
                ('previous_key_until', models.DateTimeField(blank=True, null=True)),
                ('failed_attempts', models.PositiveSmallIntegerField(default=0)),
                ('lock_count', models.PositiveSmallIntegerField(default=0, help_text='Locks since the last good PIN or unlock by staff.')),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('push_provider', models.CharField(blank=True, max_length=16)),
                ('push_token', reuseid.models.sealed.SealedField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='devices', to='reuseid.account')),
                ('application', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='devices', to='mobileid.application')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='devices', to='reuseid.user')),
            ],
            options={
                'permissions': [('lock_device', 'Can lock a device'), ('unlock_device', 'Can unlock a device'), ('deactivate_device', 'Can deactivate a device for good'), ('bulk_device', 'Can lock and unlock many devices at once')],
                'indexes': [models.Index(fields=['account', 'created_at', 'id'], name='device_page'), models.Index(fields=['account', 'status', 'created_at'], name='device_by_status'), models.Index(fields=['user', 'created_at'], name='device_of_user'), models.Index(fields=['application', 'created_at', 'id'], name='device_of_application'), models.Index(fields=['account', 'platform', 'created_at', 'id'], name='device_by_platform'), models.Index(condition=models.Q(('inherence_jwk__isnull', False)), fields=['account', 'created_at', 'id'], name='device_with_biometry'), models.Index(condition=models.Q(('knowledge_key__isnull', False)), fields=['account', 'created_at', 'id'], name='device_with_pin'), models.Index(fields=['created_at', 'id'], name='device_recent'), models.Index(condition=models.Q(('status', 'LOCKED')), fields=['status_since'], name='device_locked_since'), models.Index(condition=models.Q(('previous_key_until__isnull', False)), fields=['previous_key_until'], name='device_hand_over_ends'), models.Index(condition=models.Q(('locked_until__isnull', False), ('status', 'LOCKED')), fields=['locked_until'], name='device_lock_ends')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['PENDING', 'ACTIVE', 'LOCKED', 'DEACTIVATED'])), name='device_status'), models.UniqueConstraint(fields=('account', 'possession_thumbprint'), name='device_possession_key')],
            },
        ),
        migrations.CreateModel(
            name='Evidence',
            fields=[
                ('operation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='evidence', serialize=False, to='mobileid.operation')),
                ('proof', models.TextField(help_text='Compact JWS of the possession or inherence key.')),
                ('device_jwk', models.JSONField()),
                ('device_thumbprint', models.CharField(max_length=43)),
                ('auth_method', models.CharField(max_length=24)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'verbose_name_plural': 'evidence',
            },
        ),
        migrations.AddField(
            model_name='operation',
            name='application',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='operations', to='mobileid.application'),
        ),
        migrations.AddField(
            model_name='operation',
            name='client',
            field=models.ForeignKey(db_index=False, help_text='Who started it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
        ),
        migrations.AddField(
            model_name='operation',
            name='device',
            field=models.ForeignKey(help_text='The phone that answered.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='operations', to='mobileid.device'),
        ),
        migrations.AddField(
            model_name='operation',
            name='target_device',
            field=models.ForeignKey(help_text='Only this phone may answer.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mobileid.device'),
        ),
        migrations.AddField(
            model_name='operation',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='operations', to='reuseid.user'),
        ),
        migrations.CreateModel(
            name='MessageAnswer',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('mid', models.CharField(help_text='b64u of 16 bytes', max_length=22)),
                ('digest', models.CharField(help_text='SHA-256 of the plaintext and its path.', max_length=64)),
                ('answer', reuseid.models.sealed.SealedField(help_text='Empty while the first message is being judged.', null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='reuseid.account')),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mobileid.application')),
            ],
            options={
                'indexes': [models.Index(fields=['created_at'], name='message_purge')],
                'constraints': [models.UniqueConstraint(fields=('application', 'mid'), name='message_once')],
            },
        ),
        migrations.CreateModel(
            name='Nonce',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('value', models.CharField(help_text='b64u', max_length=43, unique=True)),
                ('purpose', models.CharField(choices=[('registration', 'Registration'), ('operation', 'Operation'), ('pin-change', 'PIN change'), ('biometric-enable', 'Biometry')], max_length=16)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('device', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='nonces', to='mobileid.device')),
                ('operation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='nonces', to='mobileid.operation')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('used_at', None)), fields=['operation', 'device'], name='nonce_live'), models.Index(fields=['expires_at'], name='nonce_purge')],
            },
        ),
        migrations.CreateModel(
            name='SigningKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, help_text='The kid.', primary_key=True, serialize=False)),
                ('private_key', reuseid.models.sealed.SealedField(help_text='PKCS 8 DER; erased when retired.', null=True)),
                ('public_jwk', models.JSONField()),
                ('status', models.CharField(choices=[('NEXT', 'Announced'), ('CURRENT', 'In use'), ('RETIRED', 'Retired')], default='CURRENT', max_length=16)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signing_keys', to='reuseid.account')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'RETIRED'), _negated=True), fields=('account', 'status'), name='signing_key_one_each'), models.CheckConstraint(condition=models.Q(('status__in', ['NEXT', 'CURRENT', 'RETIRED'])), name='signing_key_status')],
            },
        ),
        migrations.CreateModel(
            name='TrustAnchor',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('private_key', reuseid.models.sealed.SealedField(help_text='PKCS 8 DER; erased when retired.', null=True)),
                ('public_jwk', models.JSONField()),
                ('status', models.CharField(choices=[('NEXT', 'Announced'), ('CURRENT', 'In use'), ('RETIRED', 'Retired')], default='CURRENT', max_length=16)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='trust_anchors', to='reuseid.account')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'RETIRED'), _negated=True), fields=('account', 'status'), name='trust_anchor_one_each'), models.CheckConstraint(condition=models.Q(('status__in', ['NEXT', 'CURRENT', 'RETIRED'])), name='trust_anchor_status')],
            },
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(condition=models.Q(('status__in', ['PENDING', 'IN_PROGRESS'])), fields=['user', 'expires_at'], name='operation_open_of_user'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(fields=['user', 'created_at'], name='operation_of_user'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(fields=['device', 'created_at'], name='operation_of_device'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(fields=['application', 'created_at', 'id'], name='operation_of_app'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(fields=['client', 'created_at', 'id'], name='operation_of_client'),
        ),
    ]

import type { OutcomeCode, Policy, PremiumRefusalCode } from '@repo/domain';

/**
 * What decided. `RULE`: the region's rule; `STATE`: what a person, account or binding is at present, and may cease to be;
 * `MONEY`: a balance or a limit; `CHOICE`: what the person chose; `INPUT`: the message itself.
 */
export type CodeKind = 'RULE' | 'STATE' | 'MONEY' | 'CHOICE' | 'INPUT';

export interface CodeText {
  readonly kind: CodeKind;
  /** One sentence each, to be read aloud to a family as it is: 共济人 is the payer, 您 the person treated or asking. */
  readonly zh: string;
  readonly en: string;
  /** The policy parameter that decided, or that made the fact matter; absent where no region decides it. */
  readonly parameter?: keyof Omit<Policy, 'region' | 'version'>;
}

/** Every code an outcome or dead letter can carry, and how to say it. The list in the README is this one. */
export const OUTCOME_CODES: Readonly<Record<OutcomeCode, CodeText>> = {
  // The patient's own account (rule 5.1).
  OWN_NO_ACCOUNT: {
    kind: 'STATE',
    zh: '您没有职工医保个人账户，本人账户不能支付。',
    en: 'You have no personal account of employee medical insurance, so your own account cannot pay.',
  },
  ACCOUNT_USE_DECLINED: {
    kind: 'CHOICE',
    zh: '本次就医选择了不使用个人账户，因此本人和亲属的账户都没有扣款。',
    en: 'For this visit the use of personal accounts was declined, so neither your own nor a relative’s account was charged.',
  },
  OWN_ACCOUNT_FROZEN: {
    kind: 'STATE',
    zh: '您的个人账户目前处于冻结状态，暂时不能支付。',
    en: 'Your personal account is frozen at present, so it cannot pay.',
  },
  OWN_ACCOUNT_CLOSED: {
    kind: 'STATE',
    zh: '您的个人账户已经注销，不能支付。',
    en: 'Your personal account has been closed, so it cannot pay.',
  },
  OWN_CARD_INACTIVE: {
    kind: 'STATE',
    zh: '您的医保卡尚未激活，激活之后本人账户才能支付。',
    en: 'Your medical-insurance card has not been activated; your own account can pay once it is.',
    parameter: 'requireCardActive',
  },
  OWN_IN_ARREARS: {
    kind: 'STATE',
    zh: '您的医保目前处于中断缴费状态，按参保地规定，欠费期间本人账户不能支付。',
    en: 'Your insurance contributions are in arrears, and where you are insured your own account cannot pay until they are made up.',
    parameter: 'ownAccountUsableInArrears',
  },
  OWN_CROSS_REGION_NOT_FILED: {
    kind: 'STATE',
    zh: '本次是异地就医，事先没有办理备案，按参保地规定本人账户不能支付。',
    en: 'This visit was outside your insured area and had not been filed beforehand, so your own account cannot pay for it.',
    parameter: 'ownRequiresCrossRegionFiling',
  },
  OWN_ZERO_BALANCE: {
    kind: 'MONEY',
    zh: '您的个人账户余额为零，没有可支付的金额。',
    en: 'The balance of your personal account is zero, so there was nothing to pay from.',
  },

  // A binding as such (rule 5.2, tests 2 to 5).
  NOT_A_SHARING_BINDING: {
    kind: 'STATE',
    zh: '这是亲情账户，只用于代领和展示医保码，不是家庭共济关系，不能用来付款。',
    en: 'This is a kinship-code link, which only shows a relative’s insurance code; it is not family sharing and cannot pay.',
  },
  SELF_BINDING: {
    kind: 'STATE',
    zh: '共济人和被共济人是同一个人，这样的绑定不能用于家庭共济。',
    en: 'The payer and the beneficiary are the same person; such a binding cannot be used for family sharing.',
  },
  BINDING_PENDING: {
    kind: 'STATE',
    zh: '这一共济关系还在审核当中，审核通过之后才能使用。',
    en: 'This sharing relation is still under review and can be used once it is approved.',
  },
  BINDING_REJECTED: {
    kind: 'STATE',
    zh: '这一共济关系的申请没有通过审核，不能使用。',
    en: 'The request for this sharing relation was not approved, so it cannot be used.',
  },
  BINDING_REVOKED: {
    kind: 'STATE',
    zh: '共济人已经解除了这一共济关系，不能再使用。',
    en: 'The payer has ended this sharing relation, so it can no longer be used.',
  },
  BINDING_NOT_YET_EFFECTIVE: {
    kind: 'STATE',
    zh: '这一共济关系在结算当天还没有到生效日期。',
    en: 'On the date of settlement this sharing relation had not yet begun.',
  },
  BINDING_EXPIRED: {
    kind: 'STATE',
    zh: '这一共济关系在结算当天已经超过有效期。',
    en: 'On the date of settlement this sharing relation had already run out.',
  },
  BINDING_NOT_FOUND: {
    kind: 'STATE',
    zh: '没有找到这位共济人与这位被共济人之间的共济关系。',
    en: 'No sharing relation was found between this payer and this beneficiary.',
  },

  // What the payer's region allows, and who and where they are (tests 6 to 17).
  SHARING_NOT_ENABLED: {
    kind: 'RULE',
    zh: '共济人的参保地尚未实施个人账户家庭共济。',
    en: 'Family sharing of personal accounts is not yet in force where the payer is insured.',
    parameter: 'sharingEnabled',
  },
  RELATION_NOT_ALLOWED: {
    kind: 'RULE',
    zh: '按共济人参保地的规定，这种亲属关系不在家庭共济的范围之内。',
    en: 'By the rules of the payer’s insured area, this kind of relative is not within family sharing.',
    parameter: 'allowedRelations',
  },
  SERVICE_CLASS_NOT_COVERED: {
    kind: 'RULE',
    zh: '按共济人参保地的规定，家庭共济不能支付这一类就医费用。',
    en: 'By the rules of the payer’s insured area, family sharing does not pay for this class of service.',
    parameter: 'allowedServiceClasses',
  },
  PAYER_NOT_EMPLOYEE_INSURED: {
    kind: 'STATE',
    zh: '共济人没有职工医保个人账户，因此没有可以共济的资金。',
    en: 'The payer has no personal account of employee medical insurance, so there is no money to share.',
  },
  PAYER_ACCOUNT_FROZEN: {
    kind: 'STATE',
    zh: '共济人的个人账户目前处于冻结状态，暂时不能支付。',
    en: 'The payer’s personal account is frozen at present, so it cannot pay.',
  },
  PAYER_ACCOUNT_CLOSED: {
    kind: 'STATE',
    zh: '共济人的个人账户已经注销，不能支付。',
    en: 'The payer’s personal account has been closed, so it cannot pay.',
  },
  PAYER_CARD_INACTIVE: {
    kind: 'STATE',
    zh: '共济人的医保卡尚未激活，激活之后才能共济支付。',
    en: 'The payer’s medical-insurance card has not been activated; their account can pay once it is.',
    parameter: 'requireCardActive',
  },
  BENEFICIARY_CARD_INACTIVE: {
    kind: 'STATE',
    zh: '您的医保卡尚未激活，按共济人参保地的规定，激活之后亲属才能为您支付。',
    en: 'Your medical-insurance card has not been activated; by the rules of the payer’s area relatives can pay for you once it is.',
    parameter: 'inactiveOwnCardBlocksSharing',
  },
  BENEFICIARY_NOT_INSURED: {
    kind: 'STATE',
    zh: '您目前没有参加基本医疗保险，按共济人参保地的规定，亲属的账户不能为您支付。',
    en: 'You are not in basic medical insurance at present; by the rules of the payer’s area a relative’s account cannot pay for you.',
    parameter: 'requireBeneficiaryInsured',
  },
  MEMBER_OUT_OF_AREA: {
    kind: 'RULE',
    zh: '您的参保地不在共济人参保地规定的共济范围之内。',
    en: 'Your insured area is outside the area within which the payer’s region allows sharing.',
    parameter: 'memberScope',
  },
  WALLET_NOT_OPEN: {
    kind: 'STATE',
    zh: '跨省共济需要双方都开通医保钱包，目前至少有一方尚未开通。',
    en: 'Sharing across provinces needs a medical-insurance wallet on both sides, and at least one of the two is not open.',
    parameter: 'requireWalletCrossProvince',
  },
  INSTITUTION_OUT_OF_AREA: {
    kind: 'RULE',
    zh: '本次就医的定点医药机构不在共济人参保地规定的共济使用范围之内。',
    en: 'The institution visited is outside the area within which the payer’s region allows shared money to be used.',
    parameter: 'institutionScope',
  },
  EMPLOYER_NOT_ENABLED: {
    kind: 'STATE',
    zh: '共济人的工作单位尚未开通家庭共济功能。',
    en: 'The payer’s employer has not enabled family sharing.',
    parameter: 'requireEmployerEnabled',
  },

  // Pauses (tests 18 to 20).
  PAYER_IN_ARREARS: {
    kind: 'STATE',
    zh: '共济人目前中断缴费，共济功能已经暂停，补缴之后可以恢复。',
    en: 'The payer’s contributions are in arrears, so sharing is paused; it can resume after they are made up.',
    parameter: 'pauseOnArrears',
  },
  PAYER_RESUME_WAITING: {
    kind: 'RULE',
    zh: '共济人已经恢复缴费，但在结算当天还没有到可以重新使用共济的日期。',
    en: 'The payer has resumed contributions, but on the date of settlement sharing could not yet be used again.',
    parameter: 'resumeWaitDays',
  },
  PAUSED_BY_USER: {
    kind: 'CHOICE',
    zh: '共济人自己暂停了这一共济关系，可以由共济人恢复。',
    en: 'The payer has paused this sharing relation and can resume it.',
  },

  // Money and limits (tests 21 to 25).
  PAYER_ZERO_BALANCE: {
    kind: 'MONEY',
    zh: '共济人的个人账户中没有可以共济的余额。',
    en: 'There is no sharable balance in the payer’s personal account.',
    parameter: 'sharablePortion',
  },
  BELOW_SHARE_THRESHOLD: {
    kind: 'MONEY',
    zh: '共济人账户的可共济余额没有超过参保地规定的起用标准，本次不能使用。',
    en: 'The sharable balance of the payer’s account is not above the amount from which their region allows sharing.',
    parameter: 'shareThreshold',
  },
  MIN_REMAINING_REACHED: {
    kind: 'MONEY',
    zh: '共济人账户的可共济余额没有超出参保地规定必须保留的金额，没有可以支付的部分。',
    en: 'The payer’s account holds no more than the amount their region requires to be kept, so there was nothing to pay from.',
    parameter: 'minRemaining',
  },
  AUTHORISED_AMOUNT_EXHAUSTED: {
    kind: 'MONEY',
    zh: '共济人为您授权的共济额度已经用完，或者还没有设置。',
    en: 'The amount the payer authorised for you has been used up, or was never set.',
    parameter: 'sharablePortion',
  },
  DAILY_LIMIT_REACHED: {
    kind: 'MONEY',
    zh: '这一共济关系当天或者本次结算可以支付的限额已经用完。',
    en: 'What this sharing relation may pay on that day, or towards one claim, has been used up.',
    parameter: 'dailyLimitMax',
  },

  // A claim as a whole.
  BENEFICIARY_UNKNOWN: {
    kind: 'STATE',
    zh: '系统中没有查到就诊人的参保信息，本次个人负担部分需要全部以现金支付。',
    en: 'The patient is not known to this system, so the whole personal share is to be paid in cash.',
  },
  INSTITUTION_NOT_DESIGNATED: {
    kind: 'STATE',
    zh: '就诊机构不是医保定点医药机构，个人账户不能支付，个人负担部分需要全部以现金支付。',
    en: 'The institution is not a designated one, so no personal account can pay and the whole personal share is in cash.',
  },
  PURPOSE_EXCLUDED: {
    kind: 'RULE',
    zh: '按参保地规定，这类用途不属于个人账户的支付范围，个人负担部分需要全部以现金支付。',
    en: 'By the rules where the patient is insured, personal accounts do not pay for this purpose; the whole personal share is in cash.',
    parameter: 'excludedPurposes',
  },
  CLAIM_MALFORMED: {
    kind: 'INPUT',
    zh: '结算申请缺少必填项或者格式有误，需要医药机构更正后重新提交。',
    en: 'The claim lacks a required field or has one of the wrong form; the institution must correct it and send it again.',
  },
  CLAIM_AMOUNT_INVALID: {
    kind: 'INPUT',
    zh: '结算申请中有金额不正确：金额不能为负，最多两位小数，需要更正后重新提交。',
    en: 'An amount in the claim is not valid: amounts are not negative and have at most two decimals; it must be corrected and sent again.',
  },
  CLAIM_IDENTITY_VIOLATION: {
    kind: 'INPUT',
    zh: '结算申请中的各项金额相加不等于医疗费总额，需要医药机构核对后重新提交。',
    en: 'The parts of the claim do not add up to the total fee; the institution must check it and send it again.',
  },
  CLAIM_DUPLICATE_CONFLICT: {
    kind: 'INPUT',
    zh: '同一编号的结算申请此前已经处理过，而且内容不同；原来的结算结果仍然有效。',
    en: 'A claim with this number but other content was handled before; the earlier settlement stands.',
  },

  // Refunds.
  REFUND_AMOUNT_INVALID: {
    kind: 'INPUT',
    zh: '退费金额不正确：应当大于零，最多两位小数；代缴的保费只能全额退回。',
    en: 'The refund amount is not valid: it must be above zero with at most two decimals, and a premium goes back in full only.',
  },
  REFUND_CLAIM_NOT_FOUND: {
    kind: 'STATE',
    zh: '没有找到这位就诊人可以退费的这笔结算。',
    en: 'No settlement of this patient that could be refunded was found under this number.',
  },
  REFUND_EXCEEDS_SETTLED: {
    kind: 'MONEY',
    zh: '申请的退费金额超过了这笔结算尚可退回的金额。',
    en: 'The refund asked for is more than what is left to be refunded of this settlement.',
  },

  // Premiums paid for relatives (rule 8).
  PREMIUM_AMOUNT_INVALID: {
    kind: 'INPUT',
    zh: '代缴金额不正确：应当大于零，最多两位小数。',
    en: 'The premium amount is not valid: it must be above zero with at most two decimals.',
  },
  PREMIUM_NOT_ENABLED: {
    kind: 'RULE',
    zh: '共济人的参保地尚未开通用个人账户为亲属代缴居民医保。',
    en: 'Where the payer is insured, paying a relative’s resident premium from a personal account is not available yet.',
    parameter: 'premiumEnabled',
  },
  PREMIUM_NOT_REGISTERED: {
    kind: 'STATE',
    zh: '按共济人参保地的规定，代缴居民医保之前需要先办理备案。',
    en: 'By the rules of the payer’s insured area, this sharing relation must first be registered for paying premiums.',
    parameter: 'premiumRequiresRegistration',
  },
  PREMIUM_AMOUNT_MISMATCH: {
    kind: 'RULE',
    zh: '代缴金额与当年公布的居民医保个人缴费标准不一致。',
    en: 'The amount is not one of the resident premiums published for that year.',
    parameter: 'residentPremium',
  },
  PREMIUM_INSUFFICIENT_BALANCE: {
    kind: 'MONEY',
    zh: '共济人账户可以使用的金额不足以支付这笔保费，代缴只能全额支付。',
    en: 'What the payer’s account may pay is not enough for this premium, which is paid in full or not at all.',
    parameter: 'sharablePortion',
  },

  // Requests to bind.
  DAILY_LIMIT_MISSING: {
    kind: 'RULE',
    zh: '按共济人参保地的规定，办理绑定时需要设置每日支付限额。',
    en: 'By the rules of the payer’s insured area, a sharing relation must state a daily limit.',
    parameter: 'dailyLimitRequired',
  },
  DAILY_LIMIT_TOO_HIGH: {
    kind: 'RULE',
    zh: '申请的每日支付限额高于共济人参保地规定的上限。',
    en: 'The daily limit asked for is above the highest that the payer’s region allows.',
    parameter: 'dailyLimitMax',
  },
  BINDING_LIMIT_EXCEEDED: {
    kind: 'RULE',
    zh: '绑定的人数或家庭数已经达到共济人参保地规定的上限。',
    en: 'The number of people or families bound has reached the most that the payer’s region allows.',
    parameter: 'maxFamiliesPerPerson',
  },

  // Messages set aside for an operator.
  EVENT_UNREADABLE: {
    kind: 'INPUT',
    zh: '收到的报文无法读取，已转交系统管理人员处理。',
    en: 'The message could not be read and was set aside for an operator.',
  },
  EVENT_TOO_LARGE: {
    kind: 'INPUT',
    zh: '收到的报文超过了允许的大小，已转交系统管理人员处理。',
    en: 'The message is larger than allowed and was set aside for an operator.',
  },
  EVENT_TYPE_UNKNOWN: {
    kind: 'INPUT',
    zh: '收到的报文类型无法识别，已转交系统管理人员处理。',
    en: 'The type of the message is not known and it was set aside for an operator.',
  },
  EVENT_MALFORMED: {
    kind: 'INPUT',
    zh: '收到的报文缺少必填项或者格式有误，已转交系统管理人员处理。',
    en: 'The message lacks a required field or has one of the wrong form and was set aside for an operator.',
  },
  EVENT_CONFLICT: {
    kind: 'INPUT',
    zh: '同一编号的报文此前已经处理过，而且内容不同，已转交系统管理人员处理。',
    en: 'A message with this number but other content was handled before; this one was set aside for an operator.',
  },
  KEY_MISMATCH: {
    kind: 'INPUT',
    zh: '报文的路由编号与报文中的人员不一致，已转交系统管理人员处理。',
    en: 'The message was sent under another person’s key than the one it names and was set aside for an operator.',
  },
  PERSON_UNKNOWN: {
    kind: 'STATE',
    zh: '报文涉及的人员尚未在系统中登记，已转交系统管理人员处理。',
    en: 'The person whom the message concerns is not known to this system; it was set aside for an operator.',
  },
  BINDING_UNKNOWN: {
    kind: 'STATE',
    zh: '报文涉及的共济关系尚未在系统中登记，已转交系统管理人员处理。',
    en: 'The sharing relation that the message concerns is not known to this system; it was set aside for an operator.',
  },
  TRANSITION_NOT_ALLOWED: {
    kind: 'STATE',
    zh: '账户或共济关系目前的状态不允许这项变更，已转交系统管理人员处理。',
    en: 'The present state of the account or sharing relation does not allow this change; it was set aside for an operator.',
  },
};

/** What a code says of a premium, where another rule decides than for a claim (rule 8). */
export const PREMIUM_CODES: Readonly<Partial<Record<PremiumRefusalCode, Omit<CodeText, 'kind'>>>> = {
  RELATION_NOT_ALLOWED: {
    zh: '按共济人参保地的规定，不能为这种亲属代缴居民医保。',
    en: 'By the rules of the payer’s insured area, the resident premium of this kind of relative cannot be paid.',
    parameter: 'premiumRelations',
  },
};
